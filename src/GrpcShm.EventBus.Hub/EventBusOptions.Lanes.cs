namespace GrpcShm.EventBus;

// Lanes: connections between two clients, past the hub.
public sealed partial class EventBusOptions
{
    /// <summary>
    /// Whether two clients that both want it may send events to each other past the hub. The hub makes them known to
    /// each other, and only where nobody else has to see the events: no observer that could match them, and no access
    /// policy that has not allowed it.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool OffersLanes { get; set; } = true;

    /// <summary>
    /// Whether the access policy (<see cref="Authorize"/>, <see cref="AuthorizationPolicy"/>) decides about
    /// <see cref="EventBusAction.OpenRoute"/>. If not, and there is a policy, all events go through the hub, where the
    /// policy is asked about each of them. Without a policy it means nothing.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool PolicyKnowsRoutes { get; set; }

    /// <summary>The most lanes that one session may have. A lane connects it with one other session.</summary>
    /// <value>0 to 4,096.</value>
    /// <remarks>Defaults to 64.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 0 … 4,096.</exception>
    public int MaxLanesPerSession
    {
        get;
        set => field = Check(value, 0, 4096, nameof(MaxLanesPerSession));
    } = 64;

    /// <summary>
    /// The most routes that one session may have. A route is a pair of machines, one of which is the session's, and
    /// whose events go over a lane. A route that has ended counts until the session's client has said that it is done
    /// with it.
    /// </summary>
    /// <value>0 to 16,384.</value>
    /// <remarks>Defaults to 1,024.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 0 … 16,384.</exception>
    public int MaxRoutesPerSession
    {
        get;
        set => field = Check(value, 0, 16_384, nameof(MaxRoutesPerSession));
    } = 1024;

    /// <summary>
    /// The most routes that all sessions of the hub together may have, counted as for
    /// <see cref="MaxRoutesPerSession"/>, until both clients are done.
    /// </summary>
    /// <value>0 or more.</value>
    /// <remarks>Defaults to 65,536.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 0.</exception>
    public int MaxRoutes
    {
        get;
        set => field = Check(value, 0, int.MaxValue, nameof(MaxRoutes));
    } = 65_536;

    /// <summary>
    /// How long a subscription that observes waits until the clients whose events it could match have confirmed that no
    /// event goes past the hub any more. After that the hub ends the sessions of those that have not confirmed. Time in
    /// which the hub carries out earlier commands of such a client does not count.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 5 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan RouteWithdrawalTimeout
    {
        get;
        set => field = Check(value, nameof(RouteWithdrawalTimeout));
    } = TimeSpan.FromSeconds(5);

    // Two sessions of one process need no lane. Tests may want one all the same.
    internal bool GrantsRoutesWithinProcess { get; set; }
}

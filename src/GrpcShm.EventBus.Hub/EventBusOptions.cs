namespace GrpcShm.EventBus;

/// <summary>
/// The bounds of an event hub, and who may use it. Where there is a bound for a part (a session, a user, a mailbox) and
/// one for the whole, the lower of the two decides. A host does not start if the bound of a part has been raised above
/// that of the whole.
/// </summary>
public sealed partial class EventBusOptions
{
    /// <summary>
    /// The most bytes (UTF-8) that the id of a machine or of an event, or the name of a group, may have.
    /// </summary>
    /// <value>1 to 65,536.</value>
    /// <remarks>Defaults to 256.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 1 … 65,536.</exception>
    public int MaxIdLength
    {
        get;
        set => field = Check(value, 1, 65_536, nameof(MaxIdLength));
    } = 256;

    /// <summary>
    /// The most bytes that one event, or one reply, may have, encoded. Where it needs more than gRPC's own limits allow
    /// (<c>MaxReceiveMessageSize</c>, <c>MaxSendMessageSize</c>), the hub raises these for its own service, to this
    /// size and 1 MiB. An <see cref="EventClient"/> needs no other limits of its channel: messages of more than 4 MiB
    /// go in parts. Another client must raise the limits of its channel. An event that is larger than
    /// <see cref="MaxWaitingSizePerSession"/> or <see cref="MaxWaitingSize"/> never finds room: raise these, and
    /// <see cref="MaxPartsSize"/>, for very large events.
    /// </summary>
    /// <value>1 KiB to 1 GiB.</value>
    /// <remarks>
    /// Defaults to 3 MiB: the message around such an event has less than the 4 MiB that gRPC takes by default.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 1 KiB … 1 GiB.</exception>
    public int MaxEventSize
    {
        get;
        set => field = Check(value, 1024, 1024 * 1024 * 1024, nameof(MaxEventSize));
    } = 3 * 1024 * 1024;

    /// <summary>How many events a mailbox holds if its subscription asks for no capacity.</summary>
    /// <value>1 to 16,777,216.</value>
    /// <remarks>Defaults to 1,024.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 1 … 16,777,216.</exception>
    public int DefaultMailboxCapacity
    {
        get;
        set => field = Check(value, 1, 16_777_216, nameof(DefaultMailboxCapacity));
    } = 1024;

    /// <summary>The largest capacity, in events, that a subscription may ask for.</summary>
    /// <value>1 to 16,777,216.</value>
    /// <remarks>Defaults to 65,536.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 1 … 16,777,216.</exception>
    public int MaxMailboxCapacity
    {
        get;
        set => field = Check(value, 1, 16_777_216, nameof(MaxMailboxCapacity));
    } = 65_536;

    /// <summary>
    /// How many events are kept for a machine that is registered and whose inbox has no subscription.
    /// </summary>
    /// <value>0 to 16,777,216.</value>
    /// <remarks>Defaults to 1,024.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 0 … 16,777,216.</exception>
    public int UnclaimedCapacity
    {
        get;
        set => field = Check(value, 0, 16_777_216, nameof(UnclaimedCapacity));
    } = 1024;

    /// <summary>The most machines that may be registered at once.</summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 100,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxMachines
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxMachines));
    } = 100_000;

    /// <summary>The most subscriptions that one session may have at once.</summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 100,000.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxSubscriptionsPerSession
    {
        get;
        set => field = Check(value, 1, int.MaxValue, nameof(MaxSubscriptionsPerSession));
    } = 100_000;

    /// <summary>
    /// How long machines that were registered by a single call, and not in a session, stay registered if nobody
    /// subscribes to their inboxes.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 30 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan UnclaimedTimeout
    {
        get;
        set => field = Check(value, nameof(UnclaimedTimeout));
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a sender waits for room in a full mailbox that blocks its senders, before the event is refused.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 10 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan MaxBlockTime
    {
        get;
        set => field = Check(value, nameof(MaxBlockTime));
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long to wait for an acknowledgement (delivered, processed, replied) if the sender gives no time-out or
    /// deadline.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 30 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan DefaultAcknowledgementTimeout
    {
        get;
        set => field = Check(value, nameof(DefaultAcknowledgementTimeout));
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether metrics name the machine that an event is for (<c>messaging.destination.name</c>). Turn it on only if
    /// the metrics system can take a series for each machine.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool MeasureDestinations { get; set; }

    /// <summary>
    /// Decides which callers may do what: it returns <see langword="true"/> if the caller may. It is asked for each
    /// event that is sent or published, and for each registration, subscription and list. So it should be quick, and
    /// several threads call it at once. If it throws, the action is refused. With <see cref="AuthorizationPolicy"/>
    /// both must allow the action.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: a caller of the hub may do everything except with machines and sessions of
    /// others. These always belong to the user who made them, and nobody sends as a machine of another process.
    /// </remarks>
    public Func<EventBusAccess, bool>? Authorize { get; set; }

    /// <summary>
    /// The name of an ASP.NET Core authorization policy that decides which callers may do what, as
    /// <see cref="Authorize"/> does. Its resource is an <see cref="EventBusAccess"/>, its user is
    /// <see cref="EventBusPeer.User"/>. It needs <c>services.AddAuthorization</c>.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>: none.</remarks>
    public string? AuthorizationPolicy { get; set; }

    // How long a client may take to end its side of a session once the hub has ended it.
    internal TimeSpan SessionClosingTime { get; set; } = TimeSpan.FromSeconds(1);

    private static long Check(long value, long least, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        return value;
    }

    private static int Check(int value, int least, int most, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
        return value;
    }

    private static TimeSpan Check(TimeSpan value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        return value;
    }
}

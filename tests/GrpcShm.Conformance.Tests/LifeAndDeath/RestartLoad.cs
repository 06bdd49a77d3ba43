namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>The calls that clients make while servers are replaced.</summary>
/// <param name="Restarts">The number of replaced servers.</param>
/// <param name="CallsBetween">Each server answers at least this number of calls before it is replaced.</param>
/// <param name="CallsPerSecond">The rate at which calls begin.</param>
/// <param name="MostUnderWay">
/// The most calls at a time. If the machine cannot keep the rate, there are as many calls as it can answer.
/// </param>
internal sealed record RestartLoad(int Restarts, int CallsBetween, int CallsPerSecond, int MostUnderWay)
{
    // Over HTTP/2 these calls need two connections.
    private static readonly RestartLoad Small = new(5, 500, 2_000, 200);

    // Over HTTP/2 these calls need a hundred connections, some of which arrive just when a server is asked to stop.
    private static readonly RestartLoad Full = new(20, 5_000, 10_000, 10_000);

    /// <summary>
    /// The small load beside other tests. The environment variable <c>GRPCSHM_FULL_LOAD</c> with the value 1 chooses
    /// the one that needs the machine for itself.
    /// </summary>
    public static RestartLoad Chosen { get; } =
        Environment.GetEnvironmentVariable("GRPCSHM_FULL_LOAD") == "1" ? Full : Small;
}

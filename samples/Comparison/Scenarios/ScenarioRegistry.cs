using System.IO.Enumeration;

namespace GrpcShm.Samples.Comparison.Scenarios;

internal static class ScenarioRegistry
{
    private const int SmallPayload = 64;
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;
    private const int ConnectionsInFlight = 32;

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new UnaryScenario("unary-1", SmallPayload, Figure.P50) { MinimumOperations = 100_000 },
        new UnaryScenario("unary-16", SmallPayload, Figure.Rate, inFlight: 16),
        new UnaryScenario("unary-64", SmallPayload, Figure.Rate, inFlight: 64),
        new PingPongScenario("ping-pong", SmallPayload),
        new ClientStreamScenario("client-stream", SmallPayload),
        new ServerStreamScenario("server-stream", SmallPayload),
        new EventsScenario("events", SmallPayload) { MinimumOperations = 1_000_000 },
        // A third process for each transport takes time to start.
        new EventsApartScenario("events-apart", SmallPayload) { IsQuick = false },
        new PacedEventsScenario("events-1000", SmallPayload, eventsPerSecond: 1000) { IsQuick = false },
        new MachinesScenario("machines", SmallPayload) { IsQuick = false },
        new EventsApartScenario("events-apart-lanes", SmallPayload, usesLanes: true) { IsQuick = false },
        new PacedEventsScenario("events-1000-lanes", SmallPayload, eventsPerSecond: 1000, usesLanes: true)
        {
            IsQuick = false,
        },
        new MachinesScenario("machines-lanes", SmallPayload, usesLanes: true) { IsQuick = false },
        new UnaryScenario("payload-0", 0, Figure.P50),
        // The same as the first scenario, as one of the payloads.
        new UnaryScenario("payload-64", SmallPayload, Figure.P50) { IsQuick = false },
        new UnaryScenario("payload-1k", KiB, Figure.P50),
        new UnaryScenario("payload-64k", 64 * KiB, Figure.Rate),
        new UnaryScenario("payload-1m", MiB, Figure.Rate),
        new LoanedScenario("payload-1m-loaned", MiB),
        new LoanedScenario("payload-4m-loaned", 4 * MiB) { IsQuick = false },
        new UnaryScenario("payload-16m", 16 * MiB, Figure.Rate),
        CreateConnections(1, isQuick: true),
        CreateConnections(2, isQuick: false),
        CreateConnections(4, isQuick: false),
        CreateConnections(8, isQuick: false),
        CreateConnections(16, isQuick: false),
        CreateConnections(32, isQuick: true),
        new ConnectScenario("connect", SmallPayload),
        new ConnectScenario("connect-apart", SmallPayload, TimeSpan.FromMilliseconds(2)),
        new PacedScenario("paced-1000", SmallPayload, callsPerSecond: 1000),
        CreateLoad(2_000, isQuick: false),
        CreateLoad(5_000, isQuick: true),
        CreateLoad(10_000, isQuick: false),
        CreateLoad(20_000, isQuick: true),
        CreateLoad(40_000, isQuick: false),
        CreateLoad(80_000, isQuick: false),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(scenario => scenario.Name)];

    /// <summary>The scenarios whose name matches the pattern, in which <c>*</c> stands for any characters.</summary>
    public static IEnumerable<Scenario> Match(string pattern) =>
        All.Where(scenario => FileSystemName.MatchesSimpleExpression(pattern, scenario.Name));

    /// <summary>The same load over more and more connections.</summary>
    private static UnaryScenario CreateConnections(int connections, bool isQuick) =>
        new($"connections-{connections}", SmallPayload, Figure.Rate, ConnectionsInFlight, connections)
        {
            IsQuick = isQuick,
        };

    /// <summary>More and more calls a second, for the latency against the load.</summary>
    private static PacedScenario CreateLoad(int callsPerSecond, bool isQuick) =>
        new($"load-{callsPerSecond}", SmallPayload, callsPerSecond)
        {
            IsLoad = true,
            IsQuick = isQuick,
        };
}

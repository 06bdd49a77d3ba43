using GrpcShm.TestHost.Calling;
using GrpcShm.Transport;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.FaultInjection.Planning;

/// <summary>The deaths of a run in their order: which process dies, and at which step.</summary>
internal static class FaultPlan
{
    private static readonly FaultStep[] OfBoth =
    [
        FaultStep.ConnectionMade, FaultStep.Claimed, FaultStep.Written, FaultStep.Published, FaultStep.Rung,
        FaultStep.SleepAnnounced, FaultStep.WaitAnnounced, FaultStep.Read, FaultStep.RoomGiven, FaultStep.HalfClosing,
        FaultStep.HalfClosed, FaultStep.Closing, FaultStep.FarewellSent, FaultStep.SocketClosed, FaultStep.Unmapped,
    ];

    private static readonly FaultStep[] OfClients =
    [
        FaultStep.ClientConnected, FaultStep.ClientHelloSent, FaultStep.ClientAnswerReceived, FaultStep.ClientMapped,
        FaultStep.ClientReadySent,
    ];

    private static readonly FaultStep[] OfServers =
    [
        FaultStep.ServerAccepted, FaultStep.ServerHelloReceived, FaultStep.ServerMapped, FaultStep.ServerHelloSent,
        FaultStep.ServerReadyReceived, FaultStep.GoingAway, FaultStep.GoneAway, FaultStep.NameRemoved,
        FaultStep.NameReleased,
    ];

    /// <summary>All combinations: each side, mode, kind of call and step.</summary>
    public static IReadOnlyList<(Side Side, SharedMemoryMode Mode, string Kind, FaultStep Step)> Cells { get; } =
    [
        .. from side in Enum.GetValues<Side>()
           from mode in new[] { SharedMemoryMode.Http2, SharedMemoryMode.Direct }
           from kind in Exchanges.Kinds
           from step in OfBoth.Concat(side == Side.Client ? OfClients : OfServers)
           where IsReached(side, mode, kind, step)
           select (side, mode, kind, step),
    ];

    /// <summary>
    /// The deaths of a run: all combinations in an order that follows from the seed, again and again.
    /// </summary>
    public static IEnumerable<Fault> Create(FaultSettings settings)
    {
        var random = new Random(settings.Seed);
        var cells = Cells.ToArray();
        var left = settings.Kills;
        while (left > 0)
        {
            random.Shuffle(cells);
            var before = left;
            foreach (var (side, mode, kind, step) in cells)
            {
                var death = random.Next(10) switch
                {
                    0 => Death.FrozenThenThawed,
                    < 3 => Death.FrozenThenKilled,
                    _ => Death.Killed,
                };
                var fault = new Fault(side, mode, kind, step, random.Next(MostTimes(step)) + 1, death);
                if (left > 0
                    && settings.Only.All(word => fault.ToString().Contains(word, StringComparison.OrdinalIgnoreCase)))
                {
                    left--;
                    yield return fault;
                }
            }

            if (left == before)
            {
                throw new InvalidOperationException("No part of the plan has all these words.");
            }
        }
    }

    private static bool IsReached(Side side, SharedMemoryMode mode, string kind, FaultStep step) => step switch
    {
        // A side that only receives large messages and sends a few small ones never finds its ring full.
        FaultStep.WaitAnnounced => kind != (side == Side.Client ? "server streaming" : "client streaming"),

        // HTTP/2 has a frame of the same name, but this is not a step of the transport.
        FaultStep.GoingAway or FaultStep.GoneAway => mode == SharedMemoryMode.Direct,
        _ => true,
    };

    // Each connection comes to most steps once, and to some steps once for each message.
    private static int MostTimes(FaultStep step) => step switch
    {
        FaultStep.GoingAway or FaultStep.GoneAway or FaultStep.NameRemoved or FaultStep.NameReleased
            or FaultStep.FarewellSent => 1,
        FaultStep.Claimed or FaultStep.Written or FaultStep.Published or FaultStep.Read or FaultStep.RoomGiven => 40,
        FaultStep.Rung or FaultStep.SleepAnnounced => 10,
        _ => 2,
    };
}

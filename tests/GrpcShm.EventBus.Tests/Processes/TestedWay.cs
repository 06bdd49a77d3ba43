using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// The ways of a test whose promise holds over each of them: by a hub over shared memory or over a Unix socket, or over
/// lanes, which a hub over shared memory grants.
/// </summary>
internal static class TestedWay
{
    public static EventWay Of(string name) => new(usesLanes: name == "lane");

    /// <summary>Starts another process of the test, whose clients have the same way.</summary>
    public static Task<ChildProcess> StartAsync(this EventWay way, params string[] role) =>
        ChildProcess.StartAsync(way.UsesLanes ? [EventWay.LanesArgument, .. role] : role);

    /// <summary>
    /// Checks that lanes have carried events of this process since there were a number of them, if the test is over
    /// lanes; otherwise that they have carried none.
    /// </summary>
    public static async Task ExpectCarriedAsync(this EventWay way, long since, int atLeast = 1)
    {
        if (!way.UsesLanes)
        {
            Assert.Equal(0, way.Events);
            return;
        }

        // The answers come before the count.
        await TimeLimit.UntilAsync(
            () => way.Events - since >= atLeast,
            () => $"Lanes carried {way.Events - since} events, and {atLeast} were expected.");
    }
}

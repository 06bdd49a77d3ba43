using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Connections leave nothing behind.</summary>
public abstract partial class LifeAndDeathTests
{
    private const int Connects = 1000;
    private const int ConnectsInARound = 50;

    // By then the runtime has most of what it needs: compiled code, heaps, threads.
    private const int ConnectsBefore = 200;

    // A leak of one in each connection would be 800. Smaller numbers come from the runtime: the thread pool adds and
    // retires threads, each with a stack of two mappings and a guard, and the garbage collector and the JIT compiler
    // map memory as they need it.
    private static readonly ProcessResources Slack = new(Descriptors: 10, Mappings: 300, Threads: 40);

    [Fact]
    public async Task Connect_1000Times_LeavesNothingInEitherProcess()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server, "churn");
        await ChurnAsync(ConnectsBefore);
        var serverBefore = ProcessResources.Of(server.Process.Id);
        var clientBefore = ProcessResources.Of(client.Id);

        await ChurnAsync(Connects - ConnectsBefore);

        // Closed resources may take a moment to disappear, since the client does not wait for the end of the last
        // connection.
        await AssertNoMoreAsync(server.Process.Id, serverBefore);
        await AssertNoMoreAsync(client.Id, clientBefore);

        async Task ChurnAsync(int count)
        {
            for (var done = 0; done < count; done += ConnectsInARound)
            {
                await client.WriteAsync(ConnectsInARound.ToString(CultureInfo.InvariantCulture));
                await client.ReadAsync(HostMessage.Done);
            }

            await TimeLimit.UntilAsync(
                async () => (await server.Control.StatsAsync(new Empty(), Call()).ResponseAsync).ConnectionsOpen == 1);
        }
    }

    [Fact]
    public async Task Connection_WhileOpen_MapsNothingThatHasAName()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server, "pending");

        // Memory without a name need not be deleted by anybody, however its processes end.
        foreach (var process in new[] { server.Process.Id, client.Id })
        {
            Assert.DoesNotContain(
                ProcessResources.MappedFiles(process),
                name => name.StartsWith("/dev/shm/", StringComparison.Ordinal)
                    || name.StartsWith(_directory.Path, StringComparison.Ordinal));
        }
    }

    private static async Task AssertNoMoreAsync(int processId, ProcessResources before)
    {
        var now = before;
        await TimeLimit.UntilAsync(
            () =>
            {
                now = ProcessResources.Of(processId);
                return now.IsWithin(before, Slack);
            },
            Describe);
        Print(Describe());

        string Describe() => $"After {ConnectsBefore} connects: {before}. After {Connects}: {now}.";
    }
}

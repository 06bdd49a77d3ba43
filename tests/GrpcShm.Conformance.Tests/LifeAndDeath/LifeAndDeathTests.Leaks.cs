using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Connections leave nothing behind.</summary>
public abstract partial class LifeAndDeathTests
{
    private const int Connects = 1000;

    // A leak of one in each connection would be near a thousand. Smaller numbers come from the runtime: the thread pool
    // adds and retires threads, each with a stack of two mappings and a guard, and the garbage collector and the JIT
    // compiler map memory as they need it.
    private static readonly ProcessResources Slack = new(Descriptors: 10, Mappings: 150, Threads: 12);

    [Fact]
    public async Task Connect_1000Times_LeavesNothingInEitherProcess()
    {
        await using var server = await StartServerAsync();
        await using var client = await StartClientAsync(server, "churn");
        await ChurnAsync(10);
        var serverAfterTen = ProcessResources.Of(server.Process.Id);
        var clientAfterTen = ProcessResources.Of(client.Id);

        await ChurnAsync(Connects - 10);

        // Closed resources may take a moment to disappear, since the client does not wait for the end of the last
        // connection.
        await AssertNoMoreAsync(server.Process.Id, serverAfterTen);
        await AssertNoMoreAsync(client.Id, clientAfterTen);

        async Task ChurnAsync(int count)
        {
            await client.WriteAsync(count.ToString(CultureInfo.InvariantCulture));
            await client.ReadAsync(HostMessage.Done);
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
        try
        {
            await TimeLimit.UntilAsync(() =>
            {
                now = ProcessResources.Of(processId);
                return Task.FromResult(now.IsWithin(before, Slack));
            });
        }
        catch (TimeoutException)
        {
            Assert.Fail($"After ten connects: {before}. After {Connects}: {now}.");
        }

        Print($"After ten connects: {before}. After {Connects}: {now}.");
    }
}

using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Processes that start, stop and are killed. Every mode runs the same tests.</summary>
public abstract partial class LifeAndDeathTests(TransportMode mode) : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KillServer_WithEveryKindOfPendingCall_EndsThemAsUnavailable()
    {
        await using var server = await StartServerAsync();
        using var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        var resume = new TaskCompletionSource();
        var calls = PendingCalls.Kinds
            .Select(kind => PendingCalls.StartAsync(client, kind, kind, resume.Task, cancellationToken: TestToken))
            .ToList();
        foreach (var kind in PendingCalls.Kinds)
        {
            await server.WhenCallAsync(kind, CallPhase.Started);
        }

        var clock = Stopwatch.StartNew();
        await server.Process.KillAsync();
        resume.SetResult();
        foreach (var (kind, call) in PendingCalls.Kinds.Zip(calls))
        {
            var failure = await call.FailsInTime(kind);
            Assert.True(failure.StatusCode == StatusCode.Unavailable, $"{kind}: {failure}");
        }

        Print($"All calls had ended {clock.Elapsed.TotalMilliseconds:F1} ms after the server was killed.");
    }

    [Fact]
    public async Task KillClient_WithEveryKindOfPendingCall_FiresTheServersTokensAndClosesItsConnection()
    {
        await using var server = await StartServerAsync();
        await server.Control.StatsAsync(new Empty(), Call()).InTime();
        await using var client = await StartClientAsync(server, "pending", "--call-id", "doomed");
        var before = await server.Control.StatsAsync(new Empty(), Call()).InTime();
        Assert.Equal(2, before.ConnectionsOpen);
        Assert.Equal(PendingCalls.Kinds.Count, before.CallsInFlight);

        var clock = Stopwatch.StartNew();
        await client.KillAsync();
        foreach (var kind in PendingCalls.Kinds)
        {
            await server.WhenCallAsync($"doomed {kind} 0", CallPhase.Cancelled);
            await server.WhenCallAsync($"doomed {kind} 0", CallPhase.Finished);
        }

        Print($"All tokens had fired {clock.Elapsed.TotalMilliseconds:F1} ms after the client was killed.");
        await TimeLimit.UntilAsync(
            async () => (await server.Control.StatsAsync(new Empty(), Call()).ResponseAsync).ConnectionsOpen == 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reconnect_AfterTheServerCameBack_NeedsNothingFromTheClient(bool killed)
    {
        await using var first = await StartServerAsync();
        using var channel = first.CreateChannel();
        Assert.Equal(first.Process.Id, await GetServerProcessIdAsync(channel));

        await (killed ? first.Process.KillAsync() : first.Process.StopAsync());
        var failure = await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call()).FailsInTime();
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);

        await using var second = await StartServerAsync();
        Assert.Equal(second.Process.Id, await GetServerProcessIdAsync(channel));
    }

    [Fact]
    public async Task Channel_ClosedAndReopened50Times_Works()
    {
        await using var server = await StartServerAsync();
        for (var i = 0; i < 50; i++)
        {
            using var channel = server.CreateChannel();
            Assert.Equal(server.Process.Id, await GetServerProcessIdAsync(channel));
        }
    }

    [Fact]
    public async Task Dispose_OfAChannelWithPendingCalls_EndsThemOnBothSides()
    {
        await using var server = await StartServerAsync();
        var channel = server.CreateChannel();
        var client = new TestService.TestServiceClient(channel);
        var resume = new TaskCompletionSource();
        var calls = PendingCalls.Kinds
            .Select(kind => PendingCalls.StartAsync(client, kind, kind, resume.Task, cancellationToken: TestToken))
            .ToList();
        foreach (var kind in PendingCalls.Kinds)
        {
            await server.WhenCallAsync(kind, CallPhase.Started);
        }

        channel.Dispose();
        resume.SetResult();

        foreach (var (kind, call) in PendingCalls.Kinds.Zip(calls))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => call.InTime(kind));
            await server.WhenCallAsync(kind, CallPhase.Cancelled);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static CallOptions Call() => new(cancellationToken: TestToken);

    private static void Print(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static async Task<int> GetServerProcessIdAsync(TestChannel channel)
    {
        var client = new TestService.TestServiceClient(channel);
        return (await client.DescribeAsync(new Empty(), Call()).InTime()).ProcessId;
    }

    private Task<ServerHandle> StartServerAsync(params string[] arguments) =>
        ServerHandle.StartAsync(mode, _directory, "server", arguments);

    private Task<HostProcess> StartClientAsync(ServerHandle server, string scenario, params string[] arguments) =>
        HostProcess.StartAsync(
        [
            "call",
            "--address", server.Address.ToString(),
            "--scenario", scenario,
            .. mode.GetClientArguments(_directory),
            .. arguments,
        ]);
}

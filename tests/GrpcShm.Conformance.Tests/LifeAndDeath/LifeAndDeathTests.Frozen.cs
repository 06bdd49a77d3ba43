using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>Servers that live and do not answer: stopped by SIGSTOP.</summary>
public abstract partial class LifeAndDeathTests
{
    [Fact]
    public async Task FreezeServer_WithADeadline_CallEndsByThatAndTheServerGoesOnLater()
    {
        await using var server = await StartServerAsync();
        using var channel = server.CreateChannel();
        await GetServerProcessIdAsync(channel);

        server.Process.Freeze();
        var options = Call().WithDeadline(DateTime.UtcNow.AddMilliseconds(200));
        var failure = await new TestService.TestServiceClient(channel)
            .WaitAsync(new WaitRequest { Gate = "never" }, options).FailsInTime();
        server.Process.Thaw();

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.Equal(server.Process.Id, await GetServerProcessIdAsync(channel));
    }

    [Fact]
    public async Task FreezeServer_WithKeepAlive_PendingCallsEnd()
    {
        await using var server = await StartServerAsync();
        using var channel = server.CreateChannel(new()
        {
            // This is longer than a server that is not frozen ever waits for a processor.
            KeepAliveTimeout = TimeSpan.FromSeconds(20),
        });
        using var call = new TestService.TestServiceClient(channel)
            .WaitAsync(new WaitRequest { Gate = "never", SendHeadersFirst = true }, Call());
        await call.ResponseHeadersAsync.InTime();

        server.Process.Freeze();
        var failure = await call.FailsInTime();
        server.Process.Thaw();

        // SocketsHttpHandler takes a ping without an answer for a breach of HTTP/2, over any transport.
        Assert.Contains(failure.StatusCode, (StatusCode[])[StatusCode.Unavailable, StatusCode.Internal]);
        using var later = server.CreateChannel();
        Assert.Equal(server.Process.Id, await GetServerProcessIdAsync(later));
    }

    [Fact]
    public async Task FreezeClient_WithKeepAliveOfTheServer_ItsConnectionAndCallsEnd()
    {
        await using var server = await StartServerAsync(
            "--keep-alive-ping-delay", "00:00:01", "--keep-alive-ping-timeout", "00:00:20");
        await using var client = await StartClientAsync(server, "pending", "--call-id", "frozen");

        client.Freeze();
        await server.WhenCallAsync("frozen unary 0", CallPhase.Cancelled);
        await server.WhenCallAsync("frozen bidirectional 0", CallPhase.Finished);

        await client.KillAsync();
    }
}

using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>A listener holds no lock while a logger runs.</summary>
public sealed class ListenerLoggerTests
{
    [Fact]
    public async Task Refuse_LoggerWaitsForTheListenerToClose_TheListenerCloses()
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with { MaxPendingHandshakes = 1 };
        var hasClosed = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closing = Task.CompletedTask;
        var hasBegun = false;
        endPoint.ServerLog.Written = line =>
        {
            // The closing listener refuses the first client: that line comes while this one is being written.
            if (line.Name == "ClientRefused" && !Interlocked.Exchange(ref hasBegun, true))
            {
                closing = Task.Run(async () => await endPoint.Listener.DisposeAsync());
                hasClosed.TrySetResult(
                    SpinWait.SpinUntil(() => !File.Exists(endPoint.SocketPath), TimeLimit.Value / 2));
            }
        };
        endPoint.Listen();

        // The first one is in the middle of its handshake, so there is no room for the second one.
        using var first = new RawBytesPeer(endPoint.SocketPath);
        using var second = new RawBytesPeer(endPoint.SocketPath);
        Assert.Equal(RefusalCode.Busy, second.ReceiveToTheEnd());

        Assert.True(await hasClosed.Task.InTime(), "The listener did not close while the logger ran.");
        await closing.InTime();
    }
}

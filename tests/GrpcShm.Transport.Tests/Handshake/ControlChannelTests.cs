using System.Runtime.InteropServices;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Handshake;

public sealed class ControlChannelTests
{
    [Fact]
    public async Task Dispose_OnTwoThreadsAtTheSameMoment_NeverTouchesAClosedSocket()
    {
        using var start = new Barrier(2);
        for (var i = 0; i < 500; i++)
        {
            var socket = new FakeSocket();
            var channel = new ControlChannel(socket, ProcessReactors.Next());
            var receive = channel.ReceiveAsync(TestContext.Current.CancellationToken).AsTask();
            void Dispose()
            {
                start.SignalAndWait();
                channel.Dispose();
            }

            await TimeLimit.OnThreads(Dispose, Dispose);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => receive.InTime());
            Assert.Equal(1, socket.Shutdowns);
            Assert.True(socket.IsDisposed);
        }
    }

    [Fact]
    public async Task OnReactorFailed_SomebodyReceivesOrWill_EachIsToldTheReason()
    {
        using var channel = new ControlChannel(new FakeSocket(), ProcessReactors.Next());
        var receive = channel.ReceiveAsync(TestContext.Current.CancellationToken).AsTask();
        channel.OnReactorFailed(
            new ReactorFailedException("a reactor", new InvalidOperationException("Waiting was forbidden.")));
        var failure = await Assert.ThrowsAsync<ReactorFailedException>(() => receive.InTime());
        Assert.Contains("Waiting was forbidden.", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ReactorFailedException>(
            () => channel.ReceiveAsync(TestContext.Current.CancellationToken).InTime());
    }

    /// <summary>A socket on which nothing ever comes.</summary>
    private sealed class FakeSocket : ControlSocket
    {
        private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
        private int _shutdowns;

        public int Shutdowns => _shutdowns;

        public override SharedMemoryPeer Peer { get; } = new(1, TransportPlatform.Current.CurrentUser, null);

        public override IPollSource Source => _bell.Source;

        public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
        {
        }

        public override int Receive(Span<byte> buffer, List<SafeHandle> attachments) => -1;

        public override void Shutdown() => Interlocked.Increment(ref _shutdowns);

        public bool IsDisposed { get; private set; }

        public override void Dispose()
        {
            IsDisposed = true;
            _bell.Dispose();
        }
    }
}

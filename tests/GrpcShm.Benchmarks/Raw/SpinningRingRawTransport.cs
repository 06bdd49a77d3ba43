using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The bare rings: both ends look at them without a pause, and no doorbell is ever rung.</summary>
internal sealed class SpinningRingRawTransport : RingRawTransport
{
    public override string Name => "ring-spin";

    public override string Description => "the rings themselves, both ends spinning";

    protected override IRawChannel CreateChannel(SharedMemoryConnection connection) => new Channel(connection);

    private sealed class Channel(SharedMemoryConnection connection) : IRawChannel
    {
        // The connection reports a peer that has died. A peer that sends no order for long is no error.
        private const int Patience = int.MaxValue / 2;

        public void Write(ReadOnlySpan<byte> source)
        {
            var wait = new SpinThenSleep(Patience);
            var outbound = connection.OutboundBytes;
            while (true)
            {
                source = source[outbound.Write(source)..];
                outbound.Publish();
                if (source.IsEmpty || !outbound.Refresh(source.Length))
                {
                    return;
                }

                wait.Once();
            }
        }

        public int Read(Span<byte> destination)
        {
            var wait = new SpinThenSleep(Patience);
            var inbound = connection.Inbound;
            bool ended;
            while (!inbound.Refresh(inbound.Head, out ended))
            {
                wait.Once();
            }

            return ended ? 0 : inbound.Read(destination);
        }

        public void Dispose()
        {
            connection.OutboundBytes.Close(complete: true);
            connection.Dispose();
        }
    }
}

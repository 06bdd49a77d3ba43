using GrpcShm.Transport.Connections;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The bare rings: both ends look at them without pause, no doorbell is ever rung.</summary>
internal sealed class SpinningRingRawTransport : RingRawTransport
{
    public override string Name => "ring-spin";

    public override string Description => "the rings themselves, both ends spinning";

    protected override IRawChannel CreateChannel(SharedMemoryConnection connection) => new Channel(connection);

    private sealed class Channel(SharedMemoryConnection connection) : IRawChannel
    {
        public void Write(ReadOnlySpan<byte> source)
        {
            var outbound = connection.Outbound;
            while (true)
            {
                source = source[outbound.Ring.Write(source)..];
                outbound.Publish();
                if (source.IsEmpty || !outbound.Refresh(source.Length))
                {
                    return;
                }

                Thread.SpinWait(1);
            }
        }

        public int Read(Span<byte> destination)
        {
            var inbound = connection.Inbound;
            bool ended;
            while (!inbound.Refresh(inbound.Ring.Head, out ended))
            {
                Thread.SpinWait(1);
            }

            return ended ? 0 : inbound.Read(destination);
        }

        public void Dispose()
        {
            connection.Outbound.Close(complete: true);
            connection.Dispose();
        }
    }
}

using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>
/// The rings with doorbells and the reactor, as gRPC uses them, but with a thread that waits for each answer.
/// </summary>
internal sealed class DoorbellRingRawTransport : RingRawTransport
{
    public override string Name => "ring-doorbell";

    public override string Description => "the rings with doorbells and reactor, blocking calls on the stream";

    protected override IRawChannel CreateChannel(SharedMemoryConnection connection) => new Channel(connection);

    private sealed class Channel(SharedMemoryConnection connection) : IRawChannel
    {
        private readonly RingStream _stream = new(connection, FileAccess.ReadWrite);

        public void Write(ReadOnlySpan<byte> source) => _stream.Write(source);

        public int Read(Span<byte> destination) => _stream.Read(destination);

        public void Dispose() => _stream.Dispose();
    }
}

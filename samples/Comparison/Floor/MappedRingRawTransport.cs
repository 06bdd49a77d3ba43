using System.IO.MemoryMappedFiles;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// The least that two processes need to exchange bytes through memory: a mapped file with a ring in each direction, and
/// both ends spin. It has no handshake, no checks and no doorbells. It shows the speed of the machine; a real transport
/// needs more.
/// </summary>
internal sealed class MappedRingRawTransport : IRawTransport
{
    // The measuring side never waits for long. The peer waits for its next order, and ends with its parent.
    private const int MeasuringPatience = 10_000;
    private const int PeerPatience = int.MaxValue / 2;

    public string Name => "ring-bare";

    public string Description => "two bare rings in a mapped file, both ends spinning";

    public IRawChannel Accept(string address, Action listening)
    {
        using var file = MemoryMappedFile.CreateFromFile(
            address, FileMode.CreateNew, mapName: null, 2 * MappedRing.Size);
        var channel = new Channel(file, outbound: 0, inbound: 1, PeerPatience);
        listening();
        return channel;
    }

    public IRawChannel Connect(string address)
    {
        using var file = MemoryMappedFile.CreateFromFile(address, FileMode.Open);
        return new Channel(file, outbound: 1, inbound: 0, MeasuringPatience);
    }

    private sealed class Channel(MemoryMappedFile file, int outbound, int inbound, int patience) : IRawChannel
    {
        private readonly MappedRing _outbound = new(file, outbound);
        private readonly MappedRing _inbound = new(file, inbound);

        public void Write(ReadOnlySpan<byte> source)
        {
            var wait = new SpinThenSleep(patience);
            while (!source.IsEmpty)
            {
                var count = _outbound.Write(source);
                source = source[count..];
                if (count == 0)
                {
                    if (_outbound.IsClosed)
                    {
                        throw new EndOfStreamException("The peer does not read any more.");
                    }

                    wait.Once();
                }
            }
        }

        public int Read(Span<byte> destination)
        {
            var wait = new SpinThenSleep(patience);
            while (true)
            {
                var isLast = _inbound.IsClosed;
                var count = _inbound.Read(destination);
                if (count > 0 || isLast)
                {
                    return count;
                }

                wait.Once();
            }
        }

        public void Dispose()
        {
            _outbound.Close();
            _inbound.Close();
            _outbound.Dispose();
            _inbound.Dispose();
        }
    }
}

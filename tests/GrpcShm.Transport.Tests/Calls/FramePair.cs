using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>
/// One side of a connection puts frames into its ring, and the test takes them off by hand on the other side.
/// </summary>
internal sealed class FramePair : IAsyncDisposable
{
    private readonly TestEndPoint _endPoint;

    private FramePair(TestEndPoint endPoint, SharedMemoryConnection sender, SharedMemoryConnection receiver)
    {
        _endPoint = endPoint;
        Sender = sender;
        Receiver = receiver;
        Writer = new FrameWriter(sender.OutboundFrames, sender.HasChecksums);
    }

    public SharedMemoryConnection Sender { get; }

    public SharedMemoryConnection Receiver { get; }

    public FrameWriter Writer { get; }

    /// <summary>Makes a pair with the smallest rings.</summary>
    public static async Task<FramePair> CreateAsync(bool useChecksums = false, bool isFromServer = false)
    {
        var endPoint = new TestEndPoint();
        endPoint.Settings = endPoint.Settings with
        {
            Modes = static () => ConnectionModes.Calls | ConnectionModes.Bytes,
            RingSize = RingSizes.Smallest,
        };
        endPoint.ConnectSettings = endPoint.ConnectSettings with
        {
            Modes = ConnectionModes.Calls,
            UseChecksums = useChecksums,
        };
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        return isFromServer ? new FramePair(endPoint, server, client) : new FramePair(endPoint, client, server);
    }

    /// <summary>Puts frames of a size into the ring until there is no room for another one.</summary>
    public int Fill(int size)
    {
        var count = 0;
        while (Put(new byte[size]))
        {
            count++;
        }

        return count;
    }

    /// <summary>Puts a message with data into the ring.</summary>
    public bool Put(ReadOnlySpan<byte> data)
    {
        var header = new FrameHeader
        {
            Length = (uint)(FrameHeader.Size + data.Length),
            Type = FrameType.Message,
            Call = 0x10001,
        };
        return Writer.TryPut(header, default, data, default);
    }

    /// <summary>
    /// Takes all frames that there are, and checks each of them, also gaps, but does not return the gaps.
    /// </summary>
    public List<(FrameHeader Header, byte[] Content)> TakeAll(out int gaps)
    {
        var frames = new List<(FrameHeader, byte[])>();
        gaps = 0;
        var ring = Receiver.Inbound;
        while (ring.Refresh(ring.Head, out _))
        {
            var available = ring.ContiguousFrom(ring.Head);
            var header = FrameReader.Read(available, Receiver.Role);
            var content = available[FrameHeader.Size..(int)header.Length].ToArray();
            if (Receiver.HasChecksums)
            {
                FrameChecksum.Verify(header, content);
            }

            if (header.Type == FrameType.Gap)
            {
                gaps++;
            }
            else
            {
                frames.Add((header, content));
            }

            ring.Advance((int)header.Stride);
        }

        return frames;
    }

    /// <summary>Takes all frames that consist of the header alone.</summary>
    public List<(FrameType Type, ulong Argument)> TakeControl() =>
        [.. TakeAll(out _).Where(static frame => frame.Header.Type != FrameType.Message)
            .Select(static frame => (frame.Header.Type, frame.Header.Argument))];

    public async ValueTask DisposeAsync()
    {
        Sender.Dispose();
        Receiver.Dispose();
        await _endPoint.DisposeAsync();
    }
}

using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Fuzz.Targets;

/// <summary>The header of a segment, compared with any sizes from the handshake.</summary>
internal sealed unsafe class SegmentHeaderTarget : IFuzzTarget
{
    private readonly Lazy<PrivateMemory> _memory =
        new(static () => new PrivateMemory(SegmentLayout.TotalSize(SharedFiles.RingSize, SharedFiles.RingSize)));

    public string Name => "segment-header";

    public int Weight => 10;

    public int MaxLength => 80;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] header = MemoryMarshal.AsBytes<SegmentHeader>(new[] { SharedFiles.GoodHeader }).ToArray();
            return [[0, .. header], [1, .. header], [200, .. header]];
        }
    }

    public string Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var sizes = reader.TakeByte();
        var toServer = RingSizes.Smallest << (sizes & 15) % 15;
        var toClient = RingSizes.Smallest << (sizes >> 4) % 15;
        var header = SharedFiles.ReadHeader(reader.Rest);
        *(SegmentHeader*)_memory.Value.Pointer = header;
        try
        {
            SharedSegment.Open(_memory.Value, toServer, toClient);
        }
        catch (SharedMemoryProtocolException violation)
        {
            return Outcome.Of(violation);
        }

        FuzzFailureException.ThrowIf(
            header.Magic != SegmentLayout.Magic
                || header.Version != SharedSegment.Version
                || header.TotalSize != SegmentLayout.DataStart + (long)toServer + toClient
                || header.ClientToServerSize != toServer
                || header.ServerToClientSize != toClient,
            "A header was accepted although it differs from the handshake.");
        return $"taken, {toServer} and {toClient}";
    }
}

using System.Buffers;
using Google.Protobuf;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// A response whose events go out as the bytes as which they came. Its encoding is that of the contract's message: a
/// message may be encoded in pieces, which mean the same one after the other as all together.
/// </summary>
/// <param name="rest">What the response has besides.</param>
internal abstract class ForwardingResponse(IMessage rest)
{
    // A writer asks for more memory than it will need for the last fields. The memory must not be doubled for them.
    private const int Spare = 1024;

    /// <summary>The events, in order.</summary>
    public List<OutgoingDelivery> Deliveries { get; } = [];

    /// <summary>How many bytes it has, encoded.</summary>
    public virtual int CalculateSize()
    {
        var size = rest.CalculateSize();
        foreach (var delivery in Deliveries)
        {
            size += delivery.CalculateSize();
        }

        return size;
    }

    /// <summary>Encodes it.</summary>
    public virtual void WriteTo(IBufferWriter<byte> output)
    {
        rest.WriteTo(output);
        var writer = new FieldWriter(output);
        foreach (var delivery in Deliveries)
        {
            delivery.WriteTo(ref writer);
        }

        writer.Flush();
    }

    /// <summary>Lets go of the events, which have been written: the mailboxes' holds on them are over.</summary>
    public void ReleaseDeliveries()
    {
        foreach (var delivery in Deliveries)
        {
            delivery.Event.Release();
        }

        Deliveries.Clear();
    }

    /// <summary>Encodes it into memory of its own.</summary>
    public ReadOnlyMemory<byte> Encode()
    {
        var output = new ArrayBufferWriter<byte>(CalculateSize() + Spare);
        WriteTo(output);
        return output.WrittenMemory;
    }
}

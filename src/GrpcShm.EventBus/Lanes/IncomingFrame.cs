using System.Runtime.InteropServices;
using Google.Protobuf;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>A <see cref="LaneFrame"/> whose events are not parsed into messages. It is used again and again.</summary>
internal sealed class IncomingFrame
{
    private const uint DeliveriesTag = (LaneFrame.DeliveriesFieldNumber << 3) | 2;
    private const uint AcceptedThroughTag = LaneFrame.AcceptedThroughFieldNumber << 3;

    private readonly List<IncomingDelivery> _deliveries = [];

    /// <summary>The deliveries, in order.</summary>
    public ReadOnlySpan<IncomingDelivery> Deliveries => CollectionsMarshal.AsSpan(_deliveries);

    /// <summary>All deliveries of this side up to here were taken; zero: none is named.</summary>
    public ulong AcceptedThrough { get; private set; }

    /// <summary>What the frame has besides; none if it has nothing else.</summary>
    public LaneFrame? Rest { get; private set; }

    /// <summary>True if something of it breaks the rules.</summary>
    public bool IsWrong { get; set; }

    /// <summary>Forgets the frame.</summary>
    public void Clear()
    {
        _deliveries.Clear();
        (AcceptedThrough, Rest, IsWrong) = (0, null, false);
    }

    /// <summary>Parses a frame. Nothing of it refers to the bytes afterwards.</summary>
    /// <param name="encoded">The frame, which nobody changes meanwhile.</param>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public void Parse(ReadOnlySpan<byte> encoded)
    {
        Clear();
        if (!TryRead(encoded))
        {
            // The generated parser decides, and says why it refuses.
            Clear();
            var frame = LaneFrame.Parser.ParseFrom(encoded);
            AcceptedThrough = frame.AcceptedThrough;
            Rest = frame;
            foreach (var delivery in frame.Deliveries)
            {
                _deliveries.Add(IncomingDelivery.Of(delivery));
            }
        }
    }

    private bool TryRead(ReadOnlySpan<byte> encoded)
    {
        var others = 0;
        var reader = new FieldReader(encoded);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            switch (tag)
            {
                case DeliveriesTag:
                    if (!reader.TryReadBytes(out var bytes) || !IncomingDelivery.TryRead(bytes, out var delivery))
                    {
                        return false;
                    }

                    _deliveries.Add(delivery);
                    break;
                case AcceptedThroughTag:
                    if (!reader.TryReadVarint(out var through))
                    {
                        return false;
                    }

                    AcceptedThrough = through;
                    break;
                default:
                    if (!reader.TrySkip(tag))
                    {
                        return false;
                    }

                    others += reader.Position - start;
                    break;
            }
        }

        if (others > 0)
        {
            Rest = ParseOthers(encoded, others);
        }

        return true;
    }

    // The fields are in the same order as before, so they mean the same without the others between them.
    private static LaneFrame ParseOthers(ReadOnlySpan<byte> encoded, int length)
    {
        var rest = new byte[length];
        var used = 0;
        var reader = new FieldReader(encoded);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            reader.TryReadTag(out var tag);
            reader.TrySkip(tag);
            if (tag is not (DeliveriesTag or AcceptedThroughTag))
            {
                var field = encoded[start..reader.Position];
                field.CopyTo(rest.AsSpan(used));
                used += field.Length;
            }
        }

        return LaneFrame.Parser.ParseFrom(rest);
    }
}

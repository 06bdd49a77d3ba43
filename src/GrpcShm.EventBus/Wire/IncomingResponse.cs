using System.Buffers;
using Google.Protobuf;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="SessionResponse"/> whose events are not parsed into messages.</summary>
internal sealed class IncomingResponse
{
    private const uint DeliveriesTag = (SessionResponse.DeliveriesFieldNumber << 3) | 2;
    private const uint CompletedThroughTag = SessionResponse.CompletedThroughFieldNumber << 3;
    private const uint PartTag = (SessionResponse.PartFieldNumber << 3) | 2;
    private const uint PartFollowsTag = SessionResponse.PartFollowsFieldNumber << 3;

    // The pool would keep larger memory for long, though such responses are rare. Hubs put 256 events into one.
    private const int MostPooledDeliveries = 1024;

    // Two bytes of a response may count as a delivery, which takes many more here. So room is made as they are read.
    private const int FirstDeliveries = 256;

    private IncomingDelivery[] _deliveries = [];
    private int _count;

    private IncomingResponse()
    {
    }

    /// <summary>The deliveries, in order.</summary>
    public ReadOnlySpan<IncomingDelivery> Deliveries => _deliveries.AsSpan(0, _count);

    /// <summary>All commands up to this number have been carried out; zero: none is named.</summary>
    public ulong CompletedThrough { get; private set; }

    /// <summary>What the response has besides; none if it has nothing else.</summary>
    public SessionResponse? Rest { get; private set; }

    /// <summary>Parses a response.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static IncomingResponse Parse(in ReadOnlySequence<byte> encoded) => WholeMessage.Parse(encoded, Parse);

    /// <summary>Parses a response. Nothing of it refers to the bytes afterwards.</summary>
    /// <exception cref="InvalidProtocolBufferException">It is malformed.</exception>
    public static IncomingResponse Parse(ReadOnlySpan<byte> encoded)
    {
        if (TryCount(encoded, out var deliveries, out var others))
        {
            var response = new IncomingResponse();
            if (response.TryRead(encoded, deliveries, others))
            {
                return response;
            }

            response.Release();
        }

        // The generated parser decides about all the rest, and says why it refuses what it refuses.
        return Of(SessionResponse.Parser.ParseFrom(encoded));
    }

    /// <summary>Makes a response of the contract's message.</summary>
    public static IncomingResponse Of(SessionResponse message)
    {
        var response = new IncomingResponse
        {
            _deliveries = Rent(message.Deliveries.Count), CompletedThrough = message.CompletedThrough, Rest = message,
        };
        foreach (var delivery in message.Deliveries)
        {
            response._deliveries[response._count++] = IncomingDelivery.Of(delivery);
        }

        return response;
    }

    /// <summary>Gives the memory of the deliveries back, which are not there any more afterwards.</summary>
    public void Release()
    {
        var deliveries = _deliveries;
        (_deliveries, _count) = ([], 0);
        GiveBack(deliveries);
    }

    private static void GiveBack(IncomingDelivery[] deliveries)
    {
        if (deliveries.Length is > 0 and <= MostPooledDeliveries)
        {
            ArrayPool<IncomingDelivery>.Shared.Return(deliveries, clearArray: true);
        }
    }

    private static IncomingDelivery[] Rent(int count) => count switch
    {
        0 => [],
        <= MostPooledDeliveries => ArrayPool<IncomingDelivery>.Shared.Rent(count),
        _ => new IncomingDelivery[count],
    };

    // Finds responses that are not worth a walk: those in parts, and those without events.
    private static bool TryCount(ReadOnlySpan<byte> encoded, out int deliveries, out int others)
    {
        (deliveries, others) = (0, 0);
        var reader = new FieldReader(encoded);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            if (!reader.TryReadTag(out var tag) || tag is PartTag or PartFollowsTag || !reader.TrySkip(tag))
            {
                return false;
            }

            deliveries += tag == DeliveriesTag ? 1 : 0;
            others += tag is DeliveriesTag or CompletedThroughTag ? 0 : reader.Position - start;
        }

        return deliveries > 0 || others == 0;
    }

    // Only the one delivery that is not usual becomes a message. It is parsed as a response, so that messages may be
    // nested as deep as in the whole one.
    private static bool TryParse(ReadOnlySpan<byte> field, out IncomingDelivery delivery)
    {
        try
        {
            delivery = IncomingDelivery.Of(SessionResponse.Parser.ParseFrom(field).Deliveries[0]);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            // The parser finds it again in the whole response, and says what is wrong there first.
            delivery = default;
            return false;
        }
    }

    private void Grow()
    {
        var (old, count) = (_deliveries, _count);
        _deliveries = Rent(2 * count);
        old.AsSpan(0, count).CopyTo(_deliveries);
        GiveBack(old);
    }

    private bool TryRead(ReadOnlySpan<byte> encoded, int deliveries, int others)
    {
        _deliveries = Rent(Math.Min(deliveries, FirstDeliveries));
        var rest = others == 0 ? [] : new byte[others];
        var restLength = 0;
        var reader = new FieldReader(encoded);
        while (!reader.IsAtEnd)
        {
            var start = reader.Position;
            reader.TryReadTag(out var tag);
            if (tag == DeliveriesTag)
            {
                reader.TryReadBytes(out var bytes);
                if (!IncomingDelivery.TryRead(bytes, out var delivery)
                    && !TryParse(encoded[start..reader.Position], out delivery))
                {
                    return false;
                }

                if (_count == _deliveries.Length)
                {
                    Grow();
                }

                _deliveries[_count++] = delivery;
            }
            else if (tag == CompletedThroughTag)
            {
                reader.TryReadVarint(out var number);
                CompletedThrough = number;
            }
            else
            {
                reader.TrySkip(tag);
                var field = encoded[start..reader.Position];
                field.CopyTo(rest.AsSpan(restLength));
                restLength += field.Length;
            }
        }

        // The fields are in the same order as before, so they mean the same without the others between them.
        Rest = others == 0 ? null : SessionResponse.Parser.ParseFrom(rest);
        return true;
    }
}

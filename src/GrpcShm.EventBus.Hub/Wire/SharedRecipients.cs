using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>The further subscriptions of a delivery, in the encoding of a response. It is reused.</summary>
internal sealed class SharedRecipients
{
    private const byte Tag = (Delivery.AlsoFieldNumber << 3) | 2;
    private const int MostVarintBytes = 5;
    private const int FirstBytes = 64;

    private byte[] _encoded = new byte[FirstBytes];
    private int _length;

    /// <summary>How many bytes they have in a delivery, with their tag and their length.</summary>
    public int CalculateSize() => FieldWriter.SizeWithTag(_length);

    public void Clear() => _length = 0;

    /// <summary>Adds a subscription.</summary>
    public void Add(uint number)
    {
        if (_encoded.Length - _length < MostVarintBytes)
        {
            Array.Resize(ref _encoded, 2 * _encoded.Length);
        }

        for (; number >= 0x80; number >>= 7)
        {
            _encoded[_length++] = (byte)(number | 0x80);
        }

        _encoded[_length++] = (byte)number;
    }

    /// <summary>Writes them as a field of a delivery.</summary>
    public void WriteTo(ref FieldWriter writer)
    {
        writer.WriteVarint(Tag, (ulong)_length);
        writer.Write(_encoded.AsSpan(0, _length));
    }
}

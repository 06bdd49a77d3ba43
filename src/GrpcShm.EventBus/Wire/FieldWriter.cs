using System.Buffers;
using System.Numerics;
using Google.Protobuf;

namespace GrpcShm.EventBus.Wire;

/// <summary>Writes the fields of protobuf messages.</summary>
/// <param name="output">Takes the bytes. It has all of them after <see cref="Flush"/>.</param>
internal ref struct FieldWriter(IBufferWriter<byte> output)
{
    // Room for some small fields.
    private const int UsualRoom = 256;

    private Span<byte> _span = [];
    private int _used;

    /// <summary>Says how many bytes a varint has.</summary>
    public static int SizeOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>Says how many bytes a value has with its length and a tag of one byte.</summary>
    /// <param name="length">How many bytes the value has without them.</param>
    public static int SizeWithTag(int length) => 1 + SizeOf((ulong)length) + length;

    /// <summary>Writes a tag of one byte and a varint.</summary>
    public void WriteVarint(byte tag, ulong value)
    {
        // Not one byte more: at the end a writer that knows the length of the message has no more.
        MakeRoom(1 + SizeOf(value));
        _span[_used++] = tag;
        for (; value >= 0x80; value >>= 7)
        {
            _span[_used++] = (byte)(value | 0x80);
        }

        _span[_used++] = (byte)value;
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var count = Math.Min(bytes.Length, _span.Length - _used);
            bytes[..count].CopyTo(_span[_used..]);
            _used += count;
            bytes = bytes[count..];
            if (bytes.IsEmpty)
            {
                return;
            }

            MakeRoom(1);
        }
    }

    /// <summary>Writes a tag of one byte and a message with its length.</summary>
    public void Write(byte tag, IMessage message)
    {
        WriteVarint(tag, (ulong)message.CalculateSize());
        Write(message);
    }

    /// <summary>Writes the fields of a message.</summary>
    public void Write(IMessage message)
    {
        Flush();
        message.WriteTo(output);
    }

    /// <summary>Hands over what has been written.</summary>
    public void Flush()
    {
        if (_used > 0)
        {
            output.Advance(_used);
        }

        _span = [];
        _used = 0;
    }

    private void MakeRoom(int bytes)
    {
        if (_span.Length - _used < bytes)
        {
            Flush();
            _span = output.GetSpan(Math.Max(bytes, UsualRoom));
            if (_span.Length < bytes)
            {
                // Otherwise a write of more bytes would try for ever.
                throw new InvalidOperationException("The writer gave less memory than the next field needs.");
            }
        }
    }
}

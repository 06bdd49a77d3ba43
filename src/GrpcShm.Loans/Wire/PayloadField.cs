using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace GrpcShm.Loans.Wire;

/// <summary>The field of a message that is its payload. Any thread.</summary>
internal sealed class PayloadField
{
    private readonly FieldDescriptor _field;

    /// <param name="message">The type of the message.</param>
    /// <param name="number">The number of the field.</param>
    /// <exception cref="ArgumentException">The field cannot be a payload.</exception>
    public PayloadField(MessageDescriptor message, int number)
    {
        _field = message.FindFieldByNumber(number) ?? throw Refuse("there is none of that number");
        if (_field.FieldType != FieldType.Bytes || _field.IsRepeated)
        {
            throw Refuse("it is not of the type bytes, or it is repeated");
        }

        if (_field.RealContainingOneof is { } oneof)
        {
            // Its value would be dropped if another member came behind it.
            throw Refuse($"it is a member of the oneof '{oneof.Name}'");
        }

        if (_field.IsRequired)
        {
            throw Refuse("it is required, and an empty payload is not written");
        }

        if (_field.HasPresence && ((ByteString)_field.Accessor.GetValue(message.Parser.ParseFrom([]))).Length > 0)
        {
            throw Refuse("it has a default value, and an empty payload is not written");
        }

        Tag = WireFormat.MakeTag(number, WireFormat.WireType.LengthDelimited);

        ArgumentException Refuse(string reason) => new(
            $"Field {number} of '{message.FullName}' cannot be the payload: {reason}.", nameof(number));
    }

    /// <summary>The number and the wire type, as they stand before the payload.</summary>
    public uint Tag { get; }

    /// <summary>The size of the field in a message, in bytes. An empty payload is not written.</summary>
    public long SizeOf(long length) => length == 0
        ? 0
        : CodedOutputStream.ComputeUInt32Size(Tag) + CodedOutputStream.ComputeUInt64Size((ulong)length) + length;

    /// <summary>Writes what stands before a payload.</summary>
    /// <returns>The number of bytes; at most 10.</returns>
    public int WriteHeader(Span<byte> output, int length)
    {
        var tag = WriteVarint(output, Tag);
        return tag + WriteVarint(output[tag..], (uint)length);
    }

    /// <summary>Takes the payload out of a message that protobuf has parsed as a whole.</summary>
    public ByteString TakeFrom(IMessage message)
    {
        var payload = (ByteString)_field.Accessor.GetValue(message);
        _field.Accessor.Clear(message);
        return payload;
    }

    /// <exception cref="InvalidOperationException">The message has a value in the field of the payload.</exception>
    public void ThrowIfSet(IMessage message)
    {
        if (((ByteString)_field.Accessor.GetValue(message)).Length > 0)
        {
            throw new InvalidOperationException(
                $"The message has a value in '{_field.FullName}', which is the field of the loan's payload. "
                + "Leave the field empty, and fill the loan.");
        }
    }

    private static int WriteVarint(Span<byte> output, uint value)
    {
        var count = 0;
        for (; value >= 0x80; value >>= 7)
        {
            output[count++] = (byte)(value | 0x80);
        }

        output[count++] = (byte)value;
        return count;
    }
}

using System.Buffers;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.Loans.Memory;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Loans.Wire;

/// <summary>Turns loans into the bytes of their messages, and back. Any thread.</summary>
internal sealed class LoanedMarshaller<T>(MessageParser<T> parser, PayloadField field, LoanPool pool)
    where T : class, IMessage<T>
{
    private const int LongestHeader = 10;

    // What is asked of a writer at once. Without a wish it gives small pieces, of which no pool keeps enough.
    private const int LargestPiece = 1024 * 1024;

    /// <summary>Writes a message, and its payload as the last field.</summary>
    /// <exception cref="ObjectDisposedException">The loan has ended.</exception>
    /// <exception cref="InvalidOperationException">The message has a value in the field of the payload.</exception>
    /// <exception cref="RpcException">No message can be that large.</exception>
    public void Serialize(Loaned<T> loan, SerializationContext context)
    {
        var payload = loan.BeginSending();
        try
        {
            field.ThrowIfSet(loan.Message);
            var size = loan.Message.CalculateSize() + field.SizeOf(payload.Length);
            if (size > int.MaxValue)
            {
                throw new RpcException(new Status(StatusCode.ResourceExhausted, string.Create(
                    CultureInfo.InvariantCulture,
                    $"A message of {size:N0} bytes cannot be sent: the largest has {int.MaxValue:N0}.")));
            }

            context.SetPayloadLength((int)size);
            var output = context.GetBufferWriter();
            loan.Message.WriteTo(output);
            if (!payload.IsEmpty)
            {
                output.Advance(field.WriteHeader(output.GetSpan(LongestHeader), (int)payload.Length));
                if (!TryLend(loan, payload, context))
                {
                    foreach (var piece in payload)
                    {
                        Write(output, piece.Span);
                    }
                }
            }

            context.Complete();
        }
        finally
        {
            loan.EndSending();
        }
    }

    /// <summary>Reads a message. No memory is lent before all its other fields have been parsed.</summary>
    /// <exception cref="InvalidProtocolBufferException">The bytes are no such message.</exception>
    /// <exception cref="RpcException">No more memory may be on loan.</exception>
    public Loaned<T> Deserialize(DeserializationContext context)
    {
        var bytes = context.PayloadAsReadOnlySequence();
        if (!PayloadSplitter.TrySplit(bytes, field.Tag, out var rest, out var payload))
        {
            var whole = parser.ParseFrom(bytes);
            payload = new ReadOnlySequence<byte>(field.TakeFrom(whole).Memory);
            return new Loaned<T>(whole, PayloadMemory.Copy(pool, payload));
        }

        var message = parser.ParseFrom(rest);
        return new Loaned<T>(message, Lend(context, payload));
    }

    /// <summary>Lets the payload be sent from where it lies.</summary>
    private static bool TryLend(Loaned<T> loan, in ReadOnlySequence<byte> payload, SerializationContext context)
    {
        if (context is not IPayloadBorrower borrower || !loan.TryShare(out var memory))
        {
            return false;
        }

        var isBorrowed = false;
        try
        {
            isBorrowed = borrower.TryBorrow(payload, memory);
            return isBorrowed;
        }
        finally
        {
            if (!isBorrowed)
            {
                memory.Leave();
            }
        }
    }

    private static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = output.GetSpan(Math.Min(bytes.Length, LargestPiece));
            var count = Math.Min(bytes.Length, room.Length);
            bytes[..count].CopyTo(room);
            output.Advance(count);
            bytes = bytes[count..];
        }
    }

    private PayloadMemory Lend(DeserializationContext context, in ReadOnlySequence<byte> payload)
    {
        // A pool that finds misuse looks after memory of its own alone.
        if (pool.FindsMisuse
            || context is not IPayloadLender lender
            || !lender.TryHandOver(payload, out var owner, out var size))
        {
            return PayloadMemory.Copy(pool, payload);
        }

        if (pool.TryReserve(size))
        {
            return new PayloadMemory(pool, payload, owner, size);
        }

        // The memory is larger than the payload. There may be room for a copy.
        using (owner)
        {
            return PayloadMemory.Copy(pool, payload);
        }
    }
}

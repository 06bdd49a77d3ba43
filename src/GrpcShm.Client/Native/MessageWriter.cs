using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Native;

/// <summary>
/// Writes messages into the data that a call sends, each behind its prefix: a flag, and the length. The serializer
/// writes straight into the call's output if it says the length first, as that of protobuf does. One thread at a time.
/// </summary>
/// <param name="maxSize">The largest message in bytes; nothing for any size.</param>
internal sealed class MessageWriter(int? maxSize) : SerializationContext, IBufferWriter<byte>
{
    // gRPC's "Length-Prefixed-Message": one byte for the flag, four for the length.
    private const int PrefixSize = 5;

    // A writer is pooled with its call, and one large message must not make all pooled calls large.
    private const int MaxKept = 64 * 1024;

    private ArrayBufferWriter<byte> _gathered = new();
    private SentBody? _output;
    private int _announced;
    private int _written;
    private Step _step;

    private enum Step
    {
        None,
        Announced,
        Writing,
        Gathering,
        Complete,
    }

    /// <summary>Writes a message.</summary>
    /// <exception cref="RpcException">The message is larger than allowed.</exception>
    /// <exception cref="InvalidOperationException">The serializer has not done its part.</exception>
    /// <remarks>Whatever is thrown, nothing of the message is left in the output.</remarks>
    public void Write<T>(T message, Action<T, SerializationContext> serialize, SentBody output)
    {
        _output = output;
        var isWhole = false;
        try
        {
            serialize(message, this);
            isWhole = _step == Step.Complete;
        }
        finally
        {
            _output = null;
            _step = Step.None;
            _written = 0;
            if (_gathered.Capacity > MaxKept)
            {
                _gathered = new ArrayBufferWriter<byte>();
            }
            else
            {
                _gathered.ResetWrittenCount();
            }

            if (!isWhole)
            {
                output.Drop();
            }
        }

        if (!isWhole)
        {
            throw new InvalidOperationException("The serializer has written no message: it did not call Complete.");
        }
    }

    public override void SetPayloadLength(int payloadLength)
    {
        Expect(Step.None, Step.None);
        CheckSize(payloadLength);
        _announced = payloadLength;
        _step = Step.Announced;
    }

    public override IBufferWriter<byte> GetBufferWriter()
    {
        switch (_step)
        {
            case Step.Announced:
                WritePrefix(_announced);
                _step = Step.Writing;
                return this;
            case Step.Writing:
                return this;
            default:
                Expect(Step.None, Step.Gathering);
                _step = Step.Gathering;
                return _gathered;
        }
    }

    public override void Complete()
    {
        if (_step == Step.Writing)
        {
            if (_written != _announced)
            {
                throw new InvalidOperationException(
                    $"The serializer has written {_written} bytes, but has announced {_announced}.");
            }
        }
        else
        {
            Expect(Step.Gathering, Step.Gathering);
            WriteWhole(_gathered.WrittenSpan);
        }

        _step = Step.Complete;
    }

    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        Expect(Step.None, Step.Announced);
        WriteWhole(payload);
        _step = Step.Complete;
    }

    void IBufferWriter<byte>.Advance(int count)
    {
        if (count > _announced - _written)
        {
            throw new InvalidOperationException(
                $"The serializer has written more than the {_announced} bytes that it has announced.");
        }

        _output!.Advance(count);
        _written += count;
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => _output!.GetMemory(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => _output!.GetSpan(sizeHint);

    private void WriteWhole(ReadOnlySpan<byte> payload)
    {
        CheckSize(payload.Length);
        WritePrefix(payload.Length);
        payload.CopyTo(_output!.GetSpan(payload.Length));
        _output.Advance(payload.Length);
    }

    private void WritePrefix(int length)
    {
        var prefix = _output!.GetSpan(PrefixSize);
        prefix[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], length);
        _output.Advance(PrefixSize);
    }

    private void CheckSize(int size)
    {
        if (size > maxSize)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size."));
        }
    }

    private void Expect(Step first, Step second)
    {
        if (_step != first && _step != second)
        {
            throw new InvalidOperationException(
                "The serializer has called the methods of its context twice, or in an order that makes no message.");
        }
    }
}

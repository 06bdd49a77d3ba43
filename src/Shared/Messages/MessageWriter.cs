using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Messages;

/// <summary>
/// Writes messages into the data that a call sends, each behind its prefix: a flag, and the length. The serializer
/// writes straight into the call's output if it says the length first, as that of protobuf does. One thread at a time.
/// </summary>
/// <remarks>Compiled into the libraries of both sides.</remarks>
internal sealed class MessageWriter(int? maxSize) : SerializationContext, IBufferWriter<byte>, IPayloadBorrower
{
    // gRPC's "Length-Prefixed-Message": one byte for the flag, four for the length.
    private const int PrefixSize = 5;

    // Less is copied, since that costs less than a frame of its own.
    private const int LeastBorrowed = 32 * 1024;
    private const int LeastPiece = 8 * 1024;

    // A writer is pooled with its call, and one large message must not make all pooled calls large.
    private const int MaxKept = 64 * 1024;

    private ArrayBufferWriter<byte> _gathered = new();
    private SentBody? _output;
    private ICompressionProvider? _compression;
    private CompressionLevel? _level;
    private bool _gathers;
    private int _announced;
    private int _written;
    private Step _step;

    /// <summary>The largest message in bytes; nothing for any size.</summary>
    public int? MaxSize { get; set; } = maxSize;

    private enum Step
    {
        None,
        Announced,
        Writing,
        Gathering,
        Complete,
    }

    /// <summary>Writes a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="serialize">Makes bytes of it.</param>
    /// <param name="output">Takes the bytes.</param>
    /// <param name="compression">Compresses the message; nothing if it goes as it is.</param>
    /// <param name="level">The level of the compression; nothing for the provider's own.</param>
    /// <exception cref="RpcException">The message is larger than allowed.</exception>
    /// <exception cref="InvalidOperationException">The serializer has not done its part.</exception>
    /// <remarks>
    /// Whatever is thrown, nothing of the message is left in the output, and messages that wait there stay.
    /// </remarks>
    public void Write<T>(
        T message,
        Action<T, SerializationContext> serialize,
        SentBody output,
        ICompressionProvider? compression = null,
        CompressionLevel? level = null)
    {
        // A part of a message can be taken back only together with all that has not been flushed.
        var isAlone = output.UnflushedBytes == 0;
        _output = output;
        _compression = compression;
        _level = level;
        _gathers = compression is not null || !isAlone;
        var isWhole = false;
        try
        {
            serialize(message, this);
            isWhole = _step == Step.Complete;
        }
        finally
        {
            _output = null;
            _compression = null;
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

            if (!isWhole && isAlone)
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
            case Step.Announced when !_gathers:
                WritePrefix(_announced, isCompressed: false);
                _step = Step.Writing;
                return this;
            case Step.Writing:
                return this;
            default:
                Expect(Step.None, _step == Step.Announced ? Step.Announced : Step.Gathering);
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

    bool IPayloadBorrower.TryBorrow(in ReadOnlySequence<byte> rest, ILentMemory memory)
    {
        if (_step != Step.Writing
            || rest.Length < LeastBorrowed
            || rest.Length != _announced - _written
            || !IsOfLargePieces(rest))
        {
            return false;
        }

        _output!.Lend(rest, memory);
        _written = _announced;
        return true;
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => _output!.GetMemory(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => _output!.GetSpan(sizeHint);

    /// <summary>True if few enough frames begin and end with pieces.</summary>
    private static bool IsOfLargePieces(in ReadOnlySequence<byte> rest)
    {
        if (rest.IsSingleSegment)
        {
            return true;
        }

        var count = 0L;
        foreach (var _ in rest)
        {
            count++;
        }

        return rest.Length / count >= LeastPiece;
    }

    private void WriteWhole(ReadOnlySpan<byte> payload)
    {
        CheckSize(payload.Length);
        if (_compression is { } provider)
        {
            var compressed = new MemoryStream();
            using (var stream = provider.CreateCompressionStream(compressed, _level))
            {
                stream.Write(payload);
            }

            // The provider's stream closes the stream below, whose length cannot be asked for any more.
            payload = compressed.ToArray();
        }

        WritePrefix(payload.Length, _compression is not null);
        payload.CopyTo(_output!.GetSpan(payload.Length));
        _output.Advance(payload.Length);
    }

    private void WritePrefix(int length, bool isCompressed)
    {
        var prefix = _output!.GetSpan(PrefixSize);
        prefix[0] = isCompressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], length);
        _output.Advance(PrefixSize);
    }

    private void CheckSize(int size)
    {
        if (size > MaxSize)
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

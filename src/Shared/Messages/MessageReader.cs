using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace GrpcShm.Messages;

/// <summary>
/// Takes messages out of the data that a call has received. A small message is read where it lies. A large one may be
/// gathered in an array of its own while it comes, so that its sender never waits for credit. One thread at a time.
/// </summary>
/// <remarks>Compiled into the libraries of both sides.</remarks>
internal sealed partial class MessageReader : DeserializationContext
{
    /// <summary>
    /// A message of this size is worth gathering. Less than the window of a call, of which the reader may leave no more
    /// unconsumed.
    /// </summary>
    public const int LeastGathered = 32 * 1024;

    private const int PrefixSize = 5;

    private CompressionProviders _compression;
    private int? _maxSize;
    private ReadOnlySequence<byte> _payload;
    private byte[]? _gathered;
    private int _filled;
    private int _length;
    private bool _isCompressed;
    private bool _isGathering;

    /// <param name="maxSize">The largest message in bytes; nothing for any size.</param>
    /// <param name="compression">The providers for messages that are compressed.</param>
    public MessageReader(int? maxSize, CompressionProviders compression)
    {
        _maxSize = maxSize;
        _compression = compression;
    }

    /// <summary>
    /// The size in bytes from which messages are gathered. A server must not gather: what it has gathered counts in
    /// none of its bounds for what clients have sent.
    /// </summary>
    public int GathersFrom { get; set; } = int.MaxValue;

    /// <summary>The value of the header <c>grpc-encoding</c> of what is read; nothing if there is none.</summary>
    public string? Encoding { get; set; }

    /// <summary>True if a part of a message has been taken, and the rest has not.</summary>
    public bool IsWithinMessage => _isGathering;

    public override int PayloadLength => (int)_payload.Length;

    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;

    /// <summary>Takes the next message, if all of it has come.</summary>
    /// <param name="data">The data that has come. What has been taken is cut off.</param>
    /// <param name="deserialize">Makes the message of its bytes.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="RpcException">The message is larger than allowed, or cannot be decompressed.</exception>
    /// <exception cref="InvalidDataException">The data is not a message.</exception>
    public bool TryTake<T>(
        ref ReadOnlySequence<byte> data,
        Func<DeserializationContext, T> deserialize,
        [NotNullWhen(true)] out T? message)
        where T : class
    {
        message = null;
        if (!_isGathering)
        {
            if (data.Length < PrefixSize)
            {
                return false;
            }

            ReadPrefix(data);
            if (data.Length - PrefixSize >= _length)
            {
                message = Make(data.Slice(PrefixSize, _length), deserialize);
                data = data.Slice(PrefixSize + (long)_length);
                return true;
            }

            if (_length < GathersFrom)
            {
                return false;
            }

            data = data.Slice(PrefixSize);
            _isGathering = true;
            _filled = 0;
        }

        Gather(ref data);
        if (_filled < _length)
        {
            return false;
        }

        _isGathering = false;
        message = Make(new ReadOnlySequence<byte>(_gathered!, 0, _length), deserialize);
        GiveBack();
        return true;
    }

    /// <summary>Makes the exception for data that ends within a message.</summary>
    /// <param name="rest">The number of bytes that have come of it.</param>
    public InvalidDataException CreateIncomplete(long rest) =>
        new(_isGathering || rest >= PrefixSize
            ? "Unexpected end of content while reading the message content."
            : "Unexpected end of content while reading the message header.");

    /// <summary>Sets what counts for the next call.</summary>
    /// <param name="maxSize">The largest message in bytes; nothing for any size.</param>
    /// <param name="compression">The providers for messages that are compressed.</param>
    public void Set(int? maxSize, CompressionProviders compression)
    {
        _maxSize = maxSize;
        _compression = compression;
    }

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        _isGathering = false;
        Encoding = null;
        GiveBack();
    }

    private void ReadPrefix(in ReadOnlySequence<byte> data)
    {
        Span<byte> copy = stackalloc byte[PrefixSize];
        scoped var prefix = data.FirstSpan;
        if (prefix.Length < PrefixSize)
        {
            data.Slice(0, PrefixSize).CopyTo(copy);
            prefix = copy;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        _isCompressed = prefix[0] switch
        {
            0 => false,
            1 => true,
            _ => throw new InvalidDataException("Unexpected compressed flag value in message header."),
        };
        if (length > int.MaxValue)
        {
            throw _compression.CreateOversized(length);
        }

        if ((int)length > _maxSize)
        {
            throw CompressionProviders.CreateTooLarge();
        }

        _length = (int)length;
    }

    private void Gather(ref ReadOnlySequence<byte> data)
    {
        var count = (int)Math.Min(data.Length, _length - _filled);
        if (_gathered is null || _gathered.Length - _filled < count)
        {
            Grow(_filled + count);
        }

        data.Slice(0, count).CopyTo(_gathered.AsSpan(_filled));
        data = data.Slice(count);
        _filled += count;
    }

    /// <summary>
    /// Makes room for more of the message. The sender has only said how long the message will be: memory is taken for
    /// what has come, and for as much again.
    /// </summary>
    [MemberNotNull(nameof(_gathered))]
    private void Grow(int needed)
    {
        var size = (int)Math.Min(_length, Math.Max(needed, 2L * Math.Max(_filled, LeastGathered)));
        var larger = ArrayPool<byte>.Shared.Rent(size);
        if (_gathered is { } present)
        {
            present.AsSpan(0, _filled).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(present);
        }

        _gathered = larger;
    }

    private T Make<T>(in ReadOnlySequence<byte> bytes, Func<DeserializationContext, T> deserialize)
    {
        _payload = _isCompressed ? _compression.Decompress(Encoding, bytes, _maxSize) : bytes;
        try
        {
            return deserialize(this);
        }
        finally
        {
            _payload = default;
        }
    }

    private void GiveBack()
    {
        if (_gathered is { } present)
        {
            _gathered = null;
            ArrayPool<byte>.Shared.Return(present);
        }
    }
}

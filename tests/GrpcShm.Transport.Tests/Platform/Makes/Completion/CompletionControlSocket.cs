using System.Buffers.Binary;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>
/// A pipe with a read under way into a buffer of its own. A message is preceded by its length, the number of its
/// handles, and their numbers.
/// </summary>
internal sealed class CompletionControlSocket : ControlSocket
{
    private const int MaxAttachments = 4;
    private const int PrefixSize = 2 * sizeof(int);

    private readonly PipeStream _pipe;
    private readonly CompletionSource _source = new();
    private readonly Lock _gate = new();
    private readonly byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;
    private int _messageLeft;
    private bool _isReading = true;
    private bool _hasEnded;
    private Task _write = Task.CompletedTask;

    public CompletionControlSocket(PipeStream pipe, SharedMemoryPeer peer)
    {
        _pipe = pipe;
        Peer = peer;
        _ = ReadAsync();
    }

    public override SharedMemoryPeer Peer { get; }

    public override IPollSource Source => _source;

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(attachments.Length, MaxAttachments);
        if (_write.IsFaulted)
        {
            throw new EndOfStreamException("The peer closed its end.");
        }

        if (!_write.IsCompleted)
        {
            throw new IOException("The peer does not read what it is sent.");
        }

        // A copy, since the write may be under way when this returns.
        var frame = new byte[PrefixSize + (attachments.Length * sizeof(long)) + message.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, message.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(sizeof(int)), attachments.Length);
        for (var i = 0; i < attachments.Length; i++)
        {
            var number = ((CompletionHandle)attachments[i]).Number;
            HandleTable.Duplicate(number);
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(PrefixSize + (i * sizeof(long))), number);
        }

        message.CopyTo(frame.AsSpan(frame.Length - message.Length));
        try
        {
            _write = _pipe.WriteAsync(frame).AsTask();
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            throw new EndOfStreamException("The peer closed its end.", exception);
        }

        if (_write.IsFaulted)
        {
            throw new EndOfStreamException("The peer closed its end.", _write.Exception);
        }
    }

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        lock (_gate)
        {
            TakePrefix(attachments);
            var count = Math.Min(Math.Min(_messageLeft, _end - _start), buffer.Length);
            _buffer.AsSpan(_start, count).CopyTo(buffer);
            _start += count;
            _messageLeft -= count;
            if (!_isReading && !_hasEnded)
            {
                _isReading = true;
                _ = ReadAsync();
            }

            return count > 0 ? count : _hasEnded ? 0 : -1;
        }
    }

    public override void Shutdown() => _pipe.Dispose();

    public override void Dispose() => _pipe.Dispose();

    /// <summary>Keeps a read under way as long as there is room, and reports each that ends.</summary>
    private async Task ReadAsync()
    {
        while (true)
        {
            Memory<byte> free;
            lock (_gate)
            {
                // No read is under way at this moment, so the bytes can be moved.
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
                free = _buffer.AsMemory(_end);
                if (free.IsEmpty)
                {
                    _isReading = false;
                    return;
                }
            }

            var count = await ReadOnceAsync(free).ConfigureAwait(false);
            lock (_gate)
            {
                _end += count;
                _hasEnded = count == 0;
            }

            _source.Report();
            if (count == 0)
            {
                return;
            }
        }
    }

    /// <returns>How many bytes came; 0 at the end.</returns>
    private async ValueTask<int> ReadOnceAsync(Memory<byte> free)
    {
        try
        {
            return await _pipe.ReadAsync(free).ConfigureAwait(false);
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or OperationCanceledException
                or InvalidOperationException)
        {
            // The pipe is broken, or this side has closed it: an end like any other.
            return 0;
        }
    }

    /// <summary>Takes the prefix of a message, once it is complete.</summary>
    private void TakePrefix(List<SafeHandle> attachments)
    {
        var bytes = _buffer.AsSpan(_start, _end - _start);
        if (_messageLeft > 0 || bytes.Length < PrefixSize)
        {
            return;
        }

        var handles = BinaryPrimitives.ReadInt32LittleEndian(bytes[sizeof(int)..]);
        if (handles is < 0 or > MaxAttachments)
        {
            throw new SharedMemoryResourcesException("The peer sent more handles than any message has.");
        }

        var size = PrefixSize + (handles * sizeof(long));
        if (bytes.Length < size)
        {
            return;
        }

        _messageLeft = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        for (var i = 0; i < handles; i++)
        {
            var number = BinaryPrimitives.ReadInt64LittleEndian(bytes[(PrefixSize + (i * sizeof(long)))..]);
            attachments.Add(new CompletionHandle(number));
        }

        _start += size;
    }
}

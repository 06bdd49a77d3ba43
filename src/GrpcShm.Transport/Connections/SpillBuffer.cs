using System.Buffers;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// Pooled memory for bytes that have been written, but for which the ring has no room yet; first in, first out.
/// </summary>
/// <remarks>
/// If a writer has been given memory and has not advanced over it, the memory is left to the garbage collector when its
/// block is dropped. The rest may be dropped in the writer's place, by the end of the connection, or of a handler that
/// has left a writer behind. Then nobody knows whether the writer still writes, and the pool would give the same memory
/// to another user. A writer that asks for memory again does not use the memory that it was given before.
/// </remarks>
internal sealed class SpillBuffer
{
    private const int LeastBlock = 16 * 1024;

    private readonly Queue<Block> _full = new();
    private Block? _last;

    public long Length { get; private set; }

    public bool IsEmpty => Length == 0;

    /// <summary>The oldest bytes, as far as they are contiguous.</summary>
    public ReadOnlySpan<byte> First => (_full.TryPeek(out var block) ? block : _last!).Content;

    public Memory<byte> GetMemory(int wanted)
    {
        if (_last is null || _last.Room < wanted)
        {
            // This is the first step: if there is no memory for the block, nothing has changed.
            var next = new Block(Math.Max(wanted, LeastBlock));
            _last?.TakeBack();
            if (_last is { Length: > 0 })
            {
                _full.Enqueue(_last);
            }
            else
            {
                _last?.Return();
            }

            _last = next;
        }

        return _last.Give();
    }

    public void Advance(int count)
    {
        _last!.Commit(count);
        Length += count;
    }

    /// <summary>Copies bytes in, behind its own bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetMemory(bytes.Length).Span);
        Advance(bytes.Length);
    }

    /// <summary>Drops the oldest bytes.</summary>
    /// <param name="count">At most as many as <see cref="First"/> has.</param>
    public void Consume(int count)
    {
        Length -= count;
        var block = _full.TryPeek(out var oldest) ? oldest : _last!;
        block.Consume(count);
        if (block.Length > 0)
        {
            return;
        }

        block.Return();
        if (oldest is not null)
        {
            _full.Dequeue();
        }
        else
        {
            _last = null;
        }
    }

    /// <summary>Takes over all bytes of another buffer, behind its own bytes, without a copy.</summary>
    public void TakeAll(SpillBuffer source)
    {
        if (source.IsEmpty)
        {
            return;
        }

        if (_last is { Length: > 0 })
        {
            _full.Enqueue(_last);
        }
        else
        {
            _last?.Return();
        }

        while (source._full.TryDequeue(out var block))
        {
            _full.Enqueue(block);
        }

        _last = source._last;
        Length += source.Length;
        source._last = null;
        source.Length = 0;
    }

    /// <summary>Drops all of it.</summary>
    public void Clear()
    {
        while (_full.TryDequeue(out var block))
        {
            block.Return();
        }

        _last?.Return();
        _last = null;
        Length = 0;
    }

    private sealed class Block(int size)
    {
        private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(size);
        private int _start;
        private int _end;

        // Written by the writer. A thread that drops the block sees the value too late only if both run at the same
        // moment, which is a breach of the rules of a PipeWriter by a handler. The connection's end comes behind a
        // fence, see SignaledOperation.Seal.
        private bool _isGiven;

        public int Length => _end - _start;

        public int Room => _bytes.Length - _end;

        public ReadOnlySpan<byte> Content => _bytes.AsSpan(_start, Length);

        /// <summary>Gives the free memory to a writer.</summary>
        public Memory<byte> Give()
        {
            _isGiven = true;
            return _bytes.AsMemory(_end);
        }

        /// <summary>Notes that the writer does not use the given memory any more.</summary>
        public void TakeBack() => _isGiven = false;

        public void Commit(int count)
        {
            _isGiven = false;
            _end += count;
        }

        public void Consume(int count) => _start += count;

        public void Return()
        {
            if (!_isGiven)
            {
                ArrayPool<byte>.Shared.Return(_bytes);
            }
        }
    }
}

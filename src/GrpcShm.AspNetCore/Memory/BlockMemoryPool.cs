using System.Buffers;
using System.Collections.Concurrent;

namespace GrpcShm.AspNetCore.Memory;

/// <summary>
/// Memory for Kestrel's own pipes, in blocks larger than the usual 4 KiB. Kestrel's HTTP/2 input loop copies one block,
/// passes it to another thread, waits, and goes on with the next. With larger blocks a large message takes fewer of
/// these steps.
/// </summary>
internal sealed class BlockMemoryPool : MemoryPool<byte>
{
    /// <summary>One HTTP/2 frame of the default maximum, its header, and a little.</summary>
    public const int BlockSize = 32 * 1024;

    // So many blocks are kept for reuse. Further ones are left to the garbage collector.
    private const int MaxKept = 256;

    private readonly ConcurrentQueue<Block> _kept = new();
    private int _keptCount;
    private volatile bool _disposed;

    public override int MaxBufferSize => int.MaxValue;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (minBufferSize > BlockSize)
        {
            return MemoryPool<byte>.Shared.Rent(minBufferSize);
        }

        if (_kept.TryDequeue(out var block))
        {
            Interlocked.Decrement(ref _keptCount);
            block.Reopen();
            return block;
        }

        return new Block(this);
    }

    protected override void Dispose(bool disposing)
    {
        // Blocks that are still in use are left to the garbage collector when they are given back.
        _disposed = true;
        _kept.Clear();
    }

    private void Return(Block block)
    {
        if (_disposed)
        {
            return;
        }

        if (Interlocked.Increment(ref _keptCount) <= MaxKept)
        {
            _kept.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref _keptCount);
        }
    }

    private sealed class Block(BlockMemoryPool pool) : IMemoryOwner<byte>
    {
        // Pinned, since TLS and sockets pass it to native code.
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
        private int _returned;

        public Memory<byte> Memory => _bytes;

        public void Reopen() => Volatile.Write(ref _returned, 0);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                pool.Return(this);
            }
        }
    }
}

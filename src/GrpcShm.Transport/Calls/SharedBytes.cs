using System.Buffers;

namespace GrpcShm.Transport.Calls;

/// <summary>Pooled memory with several users. The last one gives it back. Any thread.</summary>
/// <param name="bytes">The memory, of which the caller is the first user.</param>
internal sealed class SharedBytes(byte[] bytes)
{
    // By increments and decrements. It never rises from 0: whoever adds a user is one, or keeps one from leaving.
    private int _users = 1;

    /// <summary>The size of the memory in bytes.</summary>
    public int Size => bytes.Length;

    /// <summary>Adds a user.</summary>
    public void Enter() => Interlocked.Increment(ref _users);

    /// <summary>Ends a use.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}

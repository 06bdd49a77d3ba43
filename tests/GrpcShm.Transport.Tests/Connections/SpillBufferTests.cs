using System.Buffers;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class SpillBufferTests
{
    [Fact]
    public void Clear_WriterHoldsNothing_GivesTheMemoryBack()
    {
        // The pool gives first the array that this thread has returned last, unless the pool has just been trimmed.
        Assert.Contains(Enumerable.Range(0, 100), static _ =>
        {
            var buffer = new SpillBuffer();
            var memory = buffer.GetMemory(1);
            buffer.Advance(1);
            buffer.Clear();
            return IsInPool(memory);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void GetMemory_MoreThanThereCanBe_LeavesWhatThereIs(int written)
    {
        var buffer = new SpillBuffer();
        var memory = buffer.GetMemory(1);
        buffer.Advance(written);

        Assert.Throws<OutOfMemoryException>(() => buffer.GetMemory(int.MaxValue));

        Assert.False(IsInPool(memory));
        Assert.Equal(written, buffer.Length);
        buffer.GetMemory(1).Span[0] = 7;
        buffer.Advance(1);
        Assert.Equal(written + 1, buffer.First.Length);
        Assert.Equal(7, buffer.First[written]);
        buffer.Consume(written + 1);
        Assert.True(buffer.IsEmpty);
    }

    private static bool IsInPool(ReadOnlyMemory<byte> memory)
    {
        Assert.True(MemoryMarshal.TryGetArray(memory, out var held));
        var rented = ArrayPool<byte>.Shared.Rent(held.Array!.Length);
        ArrayPool<byte>.Shared.Return(rented);
        return ReferenceEquals(held.Array, rented);
    }
}

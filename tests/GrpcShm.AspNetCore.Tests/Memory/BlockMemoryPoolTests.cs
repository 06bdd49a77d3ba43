using GrpcShm.AspNetCore.Memory;

namespace GrpcShm.AspNetCore.Tests.Memory;

public sealed class BlockMemoryPoolTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(BlockMemoryPool.BlockSize)]
    [InlineData(BlockMemoryPool.BlockSize + 1)]
    public void Rent_AnySize_GivesAtLeastThat(int size)
    {
        using var pool = new BlockMemoryPool();
        using var block = pool.Rent(size);
        Assert.True(block.Memory.Length >= Math.Max(size, 1));
    }

    [Fact]
    public void Dispose_BlockTwice_IsGivenToOneOnly()
    {
        using var pool = new BlockMemoryPool();
        var block = pool.Rent();
        block.Dispose();
        block.Dispose();
        using var one = pool.Rent();
        using var other = pool.Rent();
        Assert.NotSame(one, other);
    }

    [Fact]
    public void Dispose_PoolBeforeItsBlocks_IsNoHarm()
    {
        var pool = new BlockMemoryPool();
        var block = pool.Rent();
        pool.Dispose();
        block.Memory.Span.Fill(1);
        block.Dispose();
    }

    [Fact]
    public async Task RentAndReturn_ManyThreads_NobodySharesABlock()
    {
        using var pool = new BlockMemoryPool();
        await TimeLimit.OnThreads([.. Enumerable.Range(1, 4).Select(i => (Action)(() =>
        {
            for (var round = 0; round < 5_000; round++)
            {
                using var block = pool.Rent();
                block.Memory.Span[..64].Fill((byte)i);
                Thread.Yield();
                Assert.False(block.Memory.Span[..64].ContainsAnyExcept((byte)i));
            }
        }))]);
    }
}

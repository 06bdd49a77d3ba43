using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of <see cref="SharedAllocation"/> and <see cref="MappedMemory"/>.</summary>
public abstract class SharedMemoryContract : PlatformContract
{
    private const int Size = 64 * 1024;

    private protected SharedMemoryContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Allocate_Fresh_IsZeroedAndWritableToItsEnd()
    {
        var allocation = Platform.Allocate(Size);
        using var grant = allocation.Grant;
        using var mapping = allocation.Mapping;
        Assert.Equal(Size, mapping.Length);
        Assert.True(Bytes(mapping).IndexOfAnyExcept((byte)0) < 0);
        Bytes(mapping).Fill(0xA5);
        Assert.True(Bytes(mapping).IndexOfAnyExcept((byte)0xA5) < 0);
    }

    [Fact]
    public void Open_TheGrant_IsTheSameMemory()
    {
        var allocation = Platform.Allocate(Size);
        using var grant = allocation.Grant;
        using var mapping = allocation.Mapping;
        using var peers = Platform.Open(grant, Size);
        Assert.Equal(Size, peers.Length);
        Bytes(peers)[17] = 1;
        Bytes(mapping)[Size - 1] = 2;
        Assert.Equal(1, Bytes(mapping)[17]);
        Assert.Equal(2, Bytes(peers)[Size - 1]);
    }

    [Fact]
    public void Dispose_TheGrantOrOneMapping_LeavesTheOther()
    {
        var allocation = Platform.Allocate(Size);
        var peers = Own(Platform.Open(allocation.Grant, Size));
        allocation.Grant.Dispose();
        Bytes(allocation.Mapping)[5] = 5;
        allocation.Mapping.Dispose();
        Assert.True(allocation.Mapping.IsClosed);
        Assert.Equal(5, Bytes(peers)[5]);
    }

    [Theory]
    [InlineData(Size - 4096)]
    [InlineData(Size + 4096)]
    [InlineData(1L << 40)]
    public void Open_AnotherSizeThanTheHandshakeSays_IsRefused(long size)
    {
        var allocation = Platform.Allocate(Size);
        using var grant = allocation.Grant;
        using var mapping = allocation.Mapping;
        Assert.Throws<SharedMemoryProtocolException>(() => Platform.Open(grant, size));
    }

    [Fact]
    public void Open_WhatIsNoMemory_IsRefused()
    {
        using var bell = Platform.CreateDoorbell();
        Assert.Throws<SharedMemoryProtocolException>(() => Platform.Open(bell.Grant, Size));
    }

    [Fact]
    public void Allocate_TwoAtOnce_AreTwo()
    {
        var first = Platform.Allocate(Size);
        var second = Platform.Allocate(Size);
        using var firstGrant = first.Grant;
        using var secondGrant = second.Grant;
        using var firstMapping = first.Mapping;
        using var secondMapping = second.Mapping;
        Bytes(firstMapping).Fill(1);
        Assert.True(Bytes(secondMapping).IndexOfAnyExcept((byte)0) < 0);
    }

    private static unsafe Span<byte> Bytes(MappedMemory memory) => new(memory.Pointer, (int)memory.Length);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Tests.Memory;

public sealed class SegmentLayoutTests
{
    [Theory]
    [InlineData(nameof(SegmentHeader.Magic), 0)]
    [InlineData(nameof(SegmentHeader.Version), 4)]
    [InlineData(nameof(SegmentHeader.TotalSize), 8)]
    [InlineData(nameof(SegmentHeader.ClientToServerSize), 16)]
    [InlineData(nameof(SegmentHeader.ServerToClientSize), 20)]
    public void SegmentHeader_Field_HasItsOffset(string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf<SegmentHeader>(field));

    [Theory]
    [InlineData(nameof(RingControl.Tail), 0)]
    [InlineData(nameof(RingControl.ProducerState), 8)]
    [InlineData(nameof(RingControl.Head), 128)]
    [InlineData(nameof(RingControl.ConsumerState), 264)]
    [InlineData(nameof(RingControl.ConsumerSleeping), 256)]
    [InlineData(nameof(RingControl.ProducerWaiting), 384)]
    public void RingControl_Field_HasItsOffset(string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf<RingControl>(field));

    [Fact]
    public void Structs_AllOfThem_HaveNoFieldWithoutATestAndTheirSize()
    {
        Assert.Equal(5, typeof(SegmentHeader).GetFields().Length);
        Assert.Equal(6, typeof(RingControl).GetFields().Length);
        Assert.Equal(64, Unsafe.SizeOf<SegmentHeader>());
        Assert.Equal(512, Unsafe.SizeOf<RingControl>());
    }

    [Fact]
    public void SegmentLayout_Constants_AreThoseOfTheProtocol()
    {
        Assert.Equal(0x584D4950u, SegmentLayout.Magic);
        Assert.Equal(64, SegmentLayout.HeaderSize);
        Assert.Equal(128, SegmentLayout.Line);
        Assert.Equal(512, SegmentLayout.RingControlSize);
        Assert.Equal(128, SegmentLayout.ClientToServerControl);
        Assert.Equal(640, SegmentLayout.ServerToClientControl);
        Assert.Equal(4096, SegmentLayout.DataStart);
        Assert.Equal(0u, RingEndState.Open);
        Assert.Equal(1u, RingEndState.Completed);
        Assert.Equal(2u, RingEndState.Aborted);
    }

    [Theory]
    [InlineData(4096, 4096)]
    [InlineData(4096, 262144)]
    [InlineData(RingSizes.Largest, RingSizes.Largest)]
    public void SegmentLayout_Data_LiesBehindTheControlsWithoutOverlap(int toServer, int toClient)
    {
        Assert.True(
            SegmentLayout.ServerToClientControl + SegmentLayout.RingControlSize <= SegmentLayout.ClientToServerData);
        Assert.Equal(4096, SegmentLayout.ClientToServerData);
        Assert.Equal(4096L + toServer, SegmentLayout.ServerToClientData(toServer));
        Assert.Equal(4096L + toServer + toClient, SegmentLayout.TotalSize(toServer, toClient));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2048, false)]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    [InlineData(12288, false)]
    [InlineData(64 * 1024 * 1024, true)]
    [InlineData(128 * 1024 * 1024, false)]
    [InlineData(-4096, false)]
    [InlineData(0xFFFFFFFF, false)]
    public void RingSizes_IsValid_OnlyForPowersOfTwoWithinTheLimits(long size, bool valid) =>
        Assert.Equal(valid, RingSizes.IsValid(size));
}

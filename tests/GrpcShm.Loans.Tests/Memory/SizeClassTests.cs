using CsCheck;
using GrpcShm.Loans.Memory;

namespace GrpcShm.Loans.Tests.Memory;

public sealed class SizeClassTests
{
    [Fact]
    public void Find_AnyLength_IsLargeEnoughAndWastesAtMostAQuarter() =>
        Gen.Int[1, int.MaxValue].Sample(static length =>
        {
            var index = SizeClass.Find(length, out var size);

            Assert.InRange(size, length, Math.Max(SizeClass.Least, length * 5L / 4));
            Assert.InRange(index, -1, SizeClass.Count - 1);

            // What is given back is found again by its size.
            Assert.Equal(index, SizeClass.Find(size, out var again));
            Assert.Equal(size, again);
        });

    [Fact]
    public void Find_EachSize_HasANumberOfItsOwn()
    {
        var size = 1;
        for (var expected = 0; expected < SizeClass.Count; expected++)
        {
            Assert.Equal(expected, SizeClass.Find(size, out var found));
            Assert.Equal(expected, SizeClass.Find(found, out _));
            size = found + 1;
        }

        Assert.Equal(-1, SizeClass.Find(size, out _));
    }

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 5120)]
    [InlineData(65_536, 65_536)]
    [InlineData(1_048_576, 1_048_576)]
    [InlineData(1_048_577, 1_310_720)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Find_Length_HasTheSize(int length, int expected)
    {
        SizeClass.Find(length, out var size);

        Assert.Equal(expected, size);
    }
}

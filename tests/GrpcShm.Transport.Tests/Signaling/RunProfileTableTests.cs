using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class RunProfileTableTests
{
    [Fact]
    public void Of_TheSamePathAfterAnyNumberOfInventedOnes_IsTheSameProfile()
    {
        var table = new RunProfileTable(RunMode.Adaptive);
        var own = table.Of("/orders.Orders/Place");
        var profiles = Enumerable.Range(0, 100_000).Select(i => table.Of($"/invented/{i}"))
            .ToHashSet(ReferenceEqualityComparer.Instance);

        Assert.Same(own, table.Of("/orders.Orders/" + "Place"));
        Assert.InRange(profiles.Count, 2, RunProfileTable.Size);
    }

    [Fact]
    public void Of_PathsThatComeAfterThousandsOfOthers_DoNotAllShareOneProfile()
    {
        var table = new RunProfileTable(RunMode.Adaptive);
        for (var i = 0; i < 10_000; i++)
        {
            table.Of($"/invented/{i}");
        }

        Assert.True(Enumerable.Range(0, 100).Select(i => table.Of($"/late/{i}")).Distinct().Count() > 50);
    }

    [Fact]
    public void Of_ManyThreadsAtOnce_GivesAllTheSame() =>
        Assert.Single(Enumerable.Range(0, 200).Select(_ => new RunProfileTable(RunMode.Adaptive)).Select(static table =>
        {
            var seen = new RunProfile[8];
            Parallel.For(0, seen.Length, i => seen[i] = table.Of("/a/b"));
            return seen.Distinct().Count();
        }).Distinct());
}

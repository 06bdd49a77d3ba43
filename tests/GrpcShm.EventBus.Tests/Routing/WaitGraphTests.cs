using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Tests.Routing;

public sealed class WaitGraphTests
{
    [Fact]
    public void Check_ForItself_IsRefused()
    {
        var refused = new WaitGraph().Check("a", "a");

        Assert.Equal(Grpc.Core.StatusCode.FailedPrecondition, refused.Code);
        Assert.Contains("'a'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OverOthers_IsRefusedAndNamesTheCircle()
    {
        var graph = Make("a b", "b x", "b c", "x y", "c d");

        Assert.True(graph.Check("d", "y").IsOk);
        Assert.True(graph.Check("e", "a").IsOk);
        var refused = graph.Check("d", "a");

        Assert.Contains("'d' -> 'a' -> 'b' -> 'c' -> 'd'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OverOneThatIsOver_IsNoCircle()
    {
        var graph = Make("b c");
        var over = new Wait("a", "b") { Over = true };
        graph.Add(over);

        Assert.True(graph.Check("c", "a").IsOk);
        over.Over = false;
        Assert.False(graph.Check("c", "a").IsOk);
        Assert.True(graph.Remove(over));
        Assert.False(graph.Remove(over));
        Assert.True(graph.Check("c", "a").IsOk);
        Assert.Equal(1, graph.Count);
    }

    [Fact]
    public void Check_AgainstEveryPairOfARandomGraph_FindsExactlyTheCircles()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var edges = Enumerable.Range(0, 10).Select(_ => (From: random.Next(8), To: random.Next(8))).ToArray();
            var graph = Make([.. edges.Select(edge => $"{edge.From} {edge.To}")]);
            var reaches = new bool[8, 8];
            for (var i = 0; i < 8; i++)
            {
                foreach (var (from, to) in edges)
                {
                    reaches[from, to] = true;
                    for (var start = 0; start < 8; start++)
                    {
                        reaches[start, to] |= reaches[start, from];
                    }
                }
            }

            for (var waiting = 0; waiting < 8; waiting++)
            {
                for (var awaited = 0; awaited < 8; awaited++)
                {
                    var isCircle = waiting == awaited || reaches[awaited, waiting];
                    Assert.True(
                        isCircle != graph.Check($"{waiting}", $"{awaited}").IsOk,
                        $"seed {seed}, round {round}: {waiting} {awaited}");
                }
            }
        }
    }

    [Fact]
    public void Check_ChainLongerThanWhatIsSearched_EndsWithoutAFind()
    {
        var graph = new WaitGraph();
        for (var i = 0; i < 100_000; i++)
        {
            graph.Add(new Wait($"{i}", $"{i + 1}"));
        }

        Assert.True(graph.Check("100000", "0").IsOk);
        Assert.False(graph.Check("100000", "99900").IsOk);
    }

    private static WaitGraph Make(params string[] edges)
    {
        var graph = new WaitGraph();
        foreach (var edge in edges)
        {
            graph.Add(new Wait(edge.Split(' ')[0], edge.Split(' ')[1]));
        }

        return graph;
    }

    private sealed class Wait(string waiting, string awaited) : MachineWait(waiting, awaited)
    {
        public bool Over { get; set; }

        public override bool IsOver => Over;
    }
}

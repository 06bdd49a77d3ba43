using CsCheck;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The order of events that change between the hub and a lane.</summary>
public sealed class RouteOrderTests
{
    private static readonly Gen<(int Kind, int Argument)[]> Steps =
        Gen.Select(Gen.Int[0, RouteModel.Kinds - 1], Gen.Int[0, 119]).Array[20, 600];

    [Fact]
    public void AnySteps_EachPairsEventsArriveOnceAndInOrder()
    {
        var (carried, barriers) = (0, 0);
        Steps.Sample(
            steps =>
            {
                var model = new RouteModel();
                foreach (var (kind, argument) in steps)
                {
                    model.Step(kind, argument);
                }

                model.Check();
                Interlocked.Add(ref carried, model.Carried);
                Interlocked.Add(ref barriers, model.Barriers);
            },
            iter: 2_000,
            threads: 2);

        // Otherwise the steps would prove nothing.
        Assert.True(carried > 1_000, $"{carried} events went over lanes.");
        Assert.True(barriers > 50, $"{barriers} publications waited for lanes.");
    }
}

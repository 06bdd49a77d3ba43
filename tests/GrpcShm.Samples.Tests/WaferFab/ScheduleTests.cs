using Samples.WaferFab.Planning;

namespace GrpcShm.Samples.Tests.WaferFab;

public class ScheduleTests
{
    [Fact]
    public void StartNext_ToolsEndInAnyOrder_AllWafersFinishAndNoPlaceHoldsTwo()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var schedule = new Schedule(30);
        var running = new List<(string Tool, int Wafer, int Step)>();
        while (!schedule.IsFinished)
        {
            foreach (var tool in Route.Tools)
            {
                if (schedule.StartNext(tool) is { } wafer)
                {
                    running.Add((tool, wafer.Number, wafer.Running));
                }
            }

            Assert.All(Route.Places, place => Assert.True(
                schedule.Wafers.Count(wafer => wafer.Takes(place)) <= 1, $"Two wafers in {place}, seed {seed}."));
            Assert.True(running.Count > 0, $"Stuck, seed {seed}.");
            var done = running[random.Next(running.Count)];
            running.Remove(done);
            Assert.True(schedule.Complete(done.Tool, done.Wafer, done.Step));
        }

        Assert.All(schedule.Wafers, wafer => Assert.Equal([1, 2, 3, 4, 5, 6, 7], wafer.History));
    }

    [Fact]
    public void StartNext_ToolIsBusy_StartsNothing()
    {
        var schedule = new Schedule(2);
        Assert.NotNull(schedule.StartNext(Route.LoadPort));

        Assert.Null(schedule.StartNext(Route.LoadPort));
    }

    [Fact]
    public void Complete_ReportedTwice_CountsOnce()
    {
        var schedule = new Schedule(1);
        schedule.StartNext(Route.LoadPort);
        Assert.True(schedule.Complete(Route.LoadPort, 1, 1));

        Assert.False(schedule.Complete(Route.LoadPort, 1, 1));
    }
}

using GrpcShm.EventBus.Service;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>How far commands have been carried out, with some that are answered later.</summary>
public sealed class CompletedCommandsTests
{
    private ulong _reported;

    [Fact]
    public void SetThrough_WithoutHeldCommands_IsReported()
    {
        var completed = new CompletedCommands(Report);

        completed.SetThrough(5);

        Assert.Equal(5ul, _reported);
    }

    [Fact]
    public void SetThrough_WithHeldCommands_StopsBeforeTheFirst()
    {
        var completed = new CompletedCommands(Report);
        completed.SetThrough(2);
        completed.Hold(4);
        completed.Hold(6);
        completed.SetThrough(9);
        Assert.Equal(3ul, _reported);

        completed.Release(6);
        Assert.Equal(3ul, _reported);
        completed.Release(4);

        Assert.Equal(9ul, _reported);
    }

    [Fact]
    public void Release_OfACommandThatIsNotNotedYet_ReportsNothingTooEarly()
    {
        var completed = new CompletedCommands(Report);
        completed.SetThrough(3);
        completed.Hold(5);
        completed.Release(5);
        Assert.Equal(3ul, _reported);

        completed.SetThrough(5);

        Assert.Equal(5ul, _reported);
    }

    [Fact]
    public async Task Release_OnOtherThreads_NeverGoesBackAndEndsAtTheLast()
    {
        var completed = new CompletedCommands(Report);
        var releasing = new List<Task>();
        for (ulong number = 1; number <= 20_000; number++)
        {
            if (number % 3 == 0)
            {
                var held = number;
                completed.Hold(held);
                releasing.Add(Task.Run(() => completed.Release(held)));
            }

            completed.SetThrough(number);
        }

        await Task.WhenAll(releasing).InTime();

        Assert.Equal(20_000ul, Volatile.Read(ref _reported));
    }

    // The first numbers are reported without a lock, by the reader. The others are reported under one.
    private void Report(ulong number)
    {
        Assert.True(number >= _reported, $"{number} came after {_reported}.");
        _reported = number;
    }
}

namespace Samples.Stress.Supervision;

/// <summary>Kills a process now and then, and starts it again.</summary>
internal sealed class Killer(Cast cast, TimeSpan interval, int seed, Action<string> say)
{
    private const double LongestAbsence = 1.0;

    private readonly Random _random = new(seed);
    private readonly List<Task> _absences = [];

    /// <summary>Kills processes until it is stopped, and ends when all processes run again.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested && !_absences.Exists(absence => absence.IsFaulted))
        {
            var pause = interval * (0.5 + _random.NextDouble());
            await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stopping.IsCancellationRequested && Choose() is { } victim)
            {
                await victim.KillAsync();
                var absence = TimeSpan.FromSeconds(_random.NextDouble() * LongestAbsence);
                say(FormattableString.Invariant(
                    $"killed {victim.Name}, to be started again in {absence.TotalMilliseconds:0} ms"));
                _absences.RemoveAll(one => one.IsCompletedSuccessfully);
                _absences.Add(BringBackAsync(victim, absence));
            }
        }

        await Task.WhenAll(_absences);
    }

    private async Task BringBackAsync(Member victim, TimeSpan absence)
    {
        await Task.Delay(absence);
        await victim.StartAsync(CancellationToken.None);
        say($"{victim.Name} is back");
    }

    // Each kind is killed equally often. There is only one hub, and its death has the most consequences.
    private Member? Choose()
    {
        var kind = (MemberKind)_random.Next(Enum.GetValues<MemberKind>().Length);
        Member[] candidates = [.. cast.All.Where(member => member.Kind == kind && member.IsMeantToLive)];
        return candidates.Length == 0 ? null : candidates[_random.Next(candidates.Length)];
    }
}

namespace GrpcShm.Differential;

/// <summary>The differences that a run has found so far. For any thread.</summary>
internal sealed class Findings(Settings settings)
{
    private readonly Lock _gate = new();
    private readonly List<Difference> _all = [];
    private long _unsteady;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _all.Count;
            }
        }
    }

    public long Unsteady => Volatile.Read(ref _unsteady);

    /// <summary>True if there are so many that the run should end, so that they can be repaired first.</summary>
    public bool IsEnough => Count >= Settings.MostFound;

    /// <summary>Notes a difference that did not come again when it was repeated.</summary>
    public void AddUnsteady(Difference difference)
    {
        Interlocked.Increment(ref _unsteady);
        Console.Error.WriteLine(
            $"{difference.Kind} {difference.Number} (seed {settings.Seed}) differed once and not again: "
            + $"{difference.What} ({Keep(difference)})");
    }

    public void Add(Difference difference)
    {
        lock (_gate)
        {
            _all.Add(difference);
        }

        Console.Error.WriteLine(
            $"{difference.Kind} {difference.Number} (seed {settings.Seed}): {difference.What} ({Keep(difference)})");
        Console.Error.WriteLine(difference.Text);
    }

    private string Keep(Difference difference)
    {
        Directory.CreateDirectory(settings.Found);
        var path = Path.Join(settings.Found, $"{difference.Kind}-{settings.Seed}-{difference.Number}.txt");
        File.WriteAllText(path, difference.Text);
        return path;
    }
}

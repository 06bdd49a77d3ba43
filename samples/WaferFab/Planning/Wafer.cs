namespace Samples.WaferFab.Planning;

/// <summary>A wafer, as the scheduler knows it.</summary>
internal sealed class Wafer(int number)
{
    private readonly List<int> _history = [];

    /// <summary>Counts from one: its slot in the carrier.</summary>
    public int Number { get; } = number;

    /// <summary>The steps that were reported as done, in the order of the reports.</summary>
    public IReadOnlyList<int> History => _history;

    /// <summary>The step that was done last; zero before the first.</summary>
    public int Done { get; private set; }

    /// <summary>The step that a tool has a command for and has not reported yet; zero if there is none.</summary>
    public int Running { get; private set; }

    public bool IsFinished => Done == Route.Steps.Count;

    /// <summary>True if the wafer is in the place, or on its way there.</summary>
    public bool Takes(Place place) => Running == place.Entry || (Done >= place.Entry && Done < place.Exit);

    public void Start(int step) => Running = step;

    public void Complete(int step)
    {
        _history.Add(step);
        (Done, Running) = (step, 0);
    }
}

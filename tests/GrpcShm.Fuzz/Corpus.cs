namespace GrpcShm.Fuzz;

/// <summary>The inputs from which new inputs are made: one for each outcome.</summary>
internal sealed class Corpus
{
    // With more inputs the seeds would be used seldom. An input that is left out is found again.
    private const int MaxInputs = 4096;

    private readonly Dictionary<string, byte[]> _byOutcome = [];
    private readonly List<byte[]> _inputs = [];

    public IReadOnlyList<byte[]> Inputs => _inputs;

    public IReadOnlyDictionary<string, byte[]> ByOutcome => _byOutcome;

    public int Outcomes => _byOutcome.Count;

    public void AddSeed(byte[] input) => _inputs.Add(input);

    public void Add(string outcome, ReadOnlySpan<byte> input)
    {
        if (_byOutcome.Count < MaxInputs && !_byOutcome.ContainsKey(outcome))
        {
            var copy = input.ToArray();
            _byOutcome.Add(outcome, copy);
            _inputs.Add(copy);
        }
    }
}

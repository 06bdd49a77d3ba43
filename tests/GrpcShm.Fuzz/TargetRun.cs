using System.Diagnostics;

namespace GrpcShm.Fuzz;

/// <summary>One target's part of a run: first its seeds, and then inputs that the mutator makes from them.</summary>
internal sealed class TargetRun
{
    // The most that an input may allocate: an input has a few KiB at most, and must not lead to much more memory.
    private const long MostAllocated = 1024 * 1024;

    // The descriptors that the run-time opens and closes by itself.
    private const int DescriptorSlack = 16;

    private readonly IFuzzTarget _target;
    private readonly Corpus _corpus = new();
    private readonly FoundInputs _found;
    private readonly HangWatch _watch;

    private TargetRun(IFuzzTarget target, FoundInputs found, HangWatch watch)
    {
        _target = target;
        _found = found;
        _watch = watch;
    }

    public static TargetReport Run(IFuzzTarget target, long inputs, FuzzSettings settings)
    {
        using var found = new FoundInputs(settings.Found, target);
        using var watch = new HangWatch(target);
        var run = new TargetRun(target, found, watch);
        var started = Stopwatch.GetTimestamp();
        var done = run.RunInputs(inputs, settings.Seed);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (settings.Keep is { } keep)
        {
            run.Keep(Path.Join(keep, target.Name));
        }

        return new TargetReport(target.Name, done, Math.Round(seconds, 2), run._corpus.Outcomes, found.Count);
    }

    private long RunInputs(long inputs, int seed)
    {
        var done = 0L;
        foreach (var input in _target.Seeds)
        {
            _corpus.AddSeed(input);
            RunOne(input);
            done++;
        }

        var descriptors = CountDescriptors();
        var mutator = new Mutator(seed, _target.MaxLength);
        for (; done < inputs && !_found.IsEnough; done++)
        {
            RunOne(mutator.Next(_corpus.Inputs));
        }

        if (CountDescriptors() is var left && left > descriptors + DescriptorSlack)
        {
            _found.Save(
                [], new FuzzFailureException($"{left - descriptors} more descriptors are open than before."));
        }

        return done;
    }

    private void RunOne(ReadOnlySpan<byte> input)
    {
        _found.Begin(input);
        try
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var outcome = _target.Run(input);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            FuzzFailureException.ThrowIf(
                allocated > MostAllocated, $"The input led to the allocation of {allocated} bytes.");
            _corpus.Add(outcome, input);
        }
        catch (Exception failure)
        {
            // Any exception is a finding.
            _found.Save(input, failure);
        }

        _watch.Done();
    }

    private void Keep(string directory)
    {
        Directory.CreateDirectory(directory);
        foreach (var input in _corpus.ByOutcome.Values)
        {
            File.WriteAllBytes(Path.Join(directory, FoundInputs.NameOf(input)), input);
        }
    }

    private static int CountDescriptors() => Directory.GetFiles("/proc/self/fd").Length;
}

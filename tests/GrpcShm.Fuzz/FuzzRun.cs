namespace GrpcShm.Fuzz;

/// <summary>A run over several targets.</summary>
internal static class FuzzRun
{
    public static FuzzReport Run(FuzzSettings settings)
    {
        var weights = settings.Targets.Sum(t => t.Weight);
        return new FuzzReport(
            settings.Seed,
            [.. settings.Targets.Select(t => TargetRun.Run(t, (settings.Inputs * t.Weight / weights) + 1, settings))]);
    }

    /// <summary>Runs kept inputs, each with the target whose name its directory has.</summary>
    /// <returns>The number of inputs.</returns>
    /// <exception cref="FuzzFailureException">An input causes a failure; the message says which input.</exception>
    public static int Replay(string directory)
    {
        var inputs = 0;
        foreach (var path in Directory.GetFiles(directory, "*.bin", SearchOption.AllDirectories))
        {
            Replay(FuzzTargets.Find(Path.GetFileName(Path.GetDirectoryName(path)!)), path);
            inputs++;
        }

        return inputs;
    }

    private static void Replay(IFuzzTarget target, string path)
    {
        try
        {
            target.Run(File.ReadAllBytes(path));
        }
        catch (Exception failure)
        {
            throw new FuzzFailureException($"{target.Name} fails on {path}: {failure}");
        }
    }
}

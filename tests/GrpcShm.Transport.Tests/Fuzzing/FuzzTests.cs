using GrpcShm.Fuzz;

namespace GrpcShm.Transport.Tests.Fuzzing;

/// <summary>The fuzzer finds a defect that is there, and the inputs that it found earlier cause no failure
/// now.</summary>
[Collection(AloneCollection.Name)]
public sealed class FuzzTests : IDisposable
{
    private readonly TempDirectory _found = new();

    public void Dispose() => _found.Dispose();

    [Fact]
    public void Replay_InputsThatWereKept_AllGoWell()
    {
        var inputs = Path.Join(AppContext.BaseDirectory, "Inputs");
        Assert.All(FuzzTargets.All, t => Assert.NotEmpty(Directory.GetFiles(Path.Join(inputs, t.Name), "*.bin")));
        Assert.True(FuzzRun.Replay(inputs) > 100);
    }

    [Fact]
    public void Run_TargetFailsOnSomeInputs_TheyAreSavedAndFailAgain()
    {
        var target = new FakeTarget(input => input.Length > 3 && input[3] == 200);

        var report = FuzzRun.Run(Settings(target, inputs: 20_000, seed: 1));

        Assert.True(report.Found > 0);
        var saved = Directory.GetFiles(_found.File(target.Name), "*.bin");
        Assert.NotEmpty(saved);
        Assert.All(saved, path => Assert.Throws<FuzzFailureException>(() => { target.Run(File.ReadAllBytes(path)); }));
        Assert.False(File.Exists(Path.Join(_found.File(target.Name), "current")));
    }

    [Fact]
    public void Run_SameSeed_MakesTheSameInputs()
    {
        var (one, other, another) =
            (new FakeTarget(_ => false), new FakeTarget(_ => false), new FakeTarget(_ => false));
        FuzzRun.Run(Settings(one, inputs: 1_000, seed: 7));
        FuzzRun.Run(Settings(other, inputs: 1_000, seed: 7));
        FuzzRun.Run(Settings(another, inputs: 1_000, seed: 8));
        Assert.Equal(one.Hash, other.Hash);
        Assert.NotEqual(one.Hash, another.Hash);
    }

    [Fact]
    public void Run_InputAllocatesWithoutBound_IsFound()
    {
        var target = new FakeTarget(static input => new byte[input.Length > 3 ? 4 << 20 : 1].Length == 0);
        Assert.True(FuzzRun.Run(Settings(target, inputs: 100, seed: 1)).Found > 0);
    }

    [Fact]
    public void Run_LastProcessDiedOfItsInput_SavesThatFirst()
    {
        var target = new FakeTarget(_ => false);
        Directory.CreateDirectory(_found.File(target.Name));
        File.WriteAllBytes(Path.Join(_found.File(target.Name), "current"), [3, 0, 0, 0, 10, 20, 30, 99]);

        FuzzRun.Run(Settings(target, inputs: 1, seed: 1));

        Assert.Equal([10, 20, 30], File.ReadAllBytes(Assert.Single(Directory.GetFiles(_found.File(target.Name)))));
    }

    private FuzzSettings Settings(FakeTarget target, long inputs, int seed) =>
        new([target], inputs, seed, _found.Path, Keep: null);
}

using Samples.WaferFab.Planning;
using Samples.WaferFab.Scheduling;

namespace GrpcShm.Samples.Tests.WaferFab;

public sealed class InspectionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("inspection-");

    [Fact]
    public void Inspect_AllInOrder_FindsNothing() => Assert.Empty(Inspect([1, 2, 3, 4, 5, 6, 7], "1 3\n"));

    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6 }, "1 3\n")]
    [InlineData(new[] { 1, 2, 3, 3, 4, 5, 6, 7 }, "1 3\n")]
    [InlineData(new[] { 1, 3, 2, 4, 5, 6, 7 }, "1 3\n")]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7 }, "")]
    [InlineData(new[] { 1, 2, 3, 4, 5, 6, 7 }, "1 3\n1 3\n")]
    public void Inspect_LostDoubledOrOutOfOrder_FindsIt(int[] reported, string etched) =>
        Assert.Single(Inspect(reported, etched));

    public void Dispose() => _directory.Delete(recursive: true);

    private IReadOnlyList<string> Inspect(int[] reported, string etched)
    {
        var wafer = new Wafer(1);
        foreach (var step in reported)
        {
            wafer.Complete(step);
        }

        var path = Path.Combine(_directory.FullName, "journal");
        File.WriteAllText(path, etched);
        return Inspection.Inspect([wafer], new Dictionary<string, string> { [Route.Etcher] = path });
    }
}

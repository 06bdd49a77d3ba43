using System.Text.Json;

namespace Samples.WaferFab.View;

/// <summary>The result for programs to the standard output, and the lines for people to the standard error.</summary>
internal sealed class JsonView : IFabView
{
    private readonly PlainView _lines = new(Console.Error);

    public void Say(TimeSpan at, string line) => _lines.Say(at, line);

    public Task ShowAsync(Func<ValueTask<FabPicture?>> take, Task run) => _lines.ShowAsync(take, run);

    public void Show(FabReport report) =>
        Console.WriteLine(JsonSerializer.Serialize(report, FabReportContext.Default.FabReport));
}

namespace Samples.WaferFab.View;

/// <summary>Shows nothing; for programs that read the result.</summary>
internal sealed class SilentView : IFabView
{
    public void Say(string line)
    {
    }

    public Task ShowAsync(Func<ValueTask<FabPicture>> take, Task run) => Task.CompletedTask;

    public void Show(FabReport report) =>
        Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(report, FabReportContext.Default.FabReport));
}

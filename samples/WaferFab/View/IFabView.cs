namespace Samples.WaferFab.View;

/// <summary>The output of a run for people.</summary>
internal interface IFabView
{
    /// <summary>Shows a single event of the run.</summary>
    void Say(string line);

    /// <summary>Shows the fab until the run has ended, for whatever reason.</summary>
    Task ShowAsync(Func<ValueTask<FabPicture>> take, Task run);

    /// <summary>Shows the result.</summary>
    void Show(FabReport report);
}

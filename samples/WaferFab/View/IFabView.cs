namespace Samples.WaferFab.View;

/// <summary>The output of a run for people.</summary>
internal interface IFabView
{
    /// <summary>Shows a single event of the run.</summary>
    /// <param name="at">The time of the event, by the clock of the run.</param>
    /// <param name="line">What happened.</param>
    void Say(TimeSpan at, string line);

    /// <summary>Shows the fab until the run has ended, for whatever reason.</summary>
    /// <param name="take">Takes a picture of the fab. There is none if the hub does not answer.</param>
    /// <param name="run">The run.</param>
    Task ShowAsync(Func<ValueTask<FabPicture?>> take, Task run);

    /// <summary>Shows the result.</summary>
    void Show(FabReport report);
}

import { useCallback, useEffect, useEffectEvent, useState } from "react";

/**
 * Moves the focus to a place that is only on the page after the change that comes with the ask: call it beside that change.
 *
 * The ask is state, so that it is answered by the render that shows the change, and by no other. A note in a ref would be
 * taken up by whichever effect runs next: also by that of an earlier render, which React may still owe when a key is pressed.
 */
export function useLanding<Place>(land: (place: Place) => void): (place: Place) => void {
  const [asked, ask] = useState<{ place: Place } | null>(null);
  const answer = useEffectEvent((place: Place) => land(place));
  useEffect(() => {
    if (asked) answer(asked.place);
  }, [asked]);
  return useCallback((place) => ask({ place }), []);
}

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Tooltip } from "radix-ui";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { statusOf } from "./api/client";
import { sessionQuery } from "./api/system";
import { Toasts } from "./parts/Toasts";
import { makeRouter } from "./router";
import { Gate } from "./shell/Gate";
import "./styles.css";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays a refusal; only silence and overload are worth another try.
      retry: (count, error) => count < 2 && [0, 502, 503, 504].includes(statusOf(error) ?? -1),
    },
  },
});

// A session that ended while the page was open: ask again who is here, and the gate shows the sign-in.
client.getQueryCache().subscribe((notice) => {
  if (notice.type !== "updated" || notice.action.type !== "error") return;
  if (statusOf(notice.action.error) === 401 && notice.query.queryKey[0] !== "session") {
    client.invalidateQueries(sessionQuery);
  }
});

const router = makeRouter();
declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <Tooltip.Provider delayDuration={350}>
          <Toasts>
            <Gate>
              <RouterProvider router={router} />
            </Gate>
          </Toasts>
        </Tooltip.Provider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
